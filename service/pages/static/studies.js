// The list of studies, newest first, kept up to date.

import { request } from "./api.js";
import { element, find, part, protocolBadge, setText, show, stateBadge, syncChildren, updateStateBadge } from "./dom.js";
import { ago, fullTime, percent } from "./format.js";
import { poll } from "./poll.js";
import { makeProgress, updateProgress } from "./progress.js";

const POLL_SECONDS = 2;
const PAGE_SIZE = 50;

let nPages = 1;

function makeRow(study) {
  const name = element("a", { class: "name", href: `/ui/studies/${encodeURIComponent(study.id)}`, text: study.name });
  const tags = study.tags.map((tag) => element("span", { class: "tag", text: tag }));
  const state = stateBadge(study.state);
  state.dataset.part = "state";
  const progress = makeProgress();
  progress.dataset.part = "progress";
  return element(
    "tr",
    {},
    element("td", {}, name, element("div", { class: "tags" }, ...tags)),
    element("td", {}, element("div", { class: "badges" }, state, protocolBadge(study.protocol))),
    element("td", { class: "wide" }, progress),
    element("td", { class: "number best", "data-label": "best validation" }, element("span", { "data-part": "best" })),
    element(
      "td",
      { class: "muted nowrap", "data-label": "created" },
      element("time", { "data-part": "created", datetime: study.created_at, title: fullTime(study.created_at) }),
    ),
  );
}

function hasBest(study) {
  return typeof study.best_validation === "number";
}

function bestValidation(study) {
  if (!hasBest(study)) return "–";
  const best = study.best_validation;
  return study.spec.objective?.metric === "validation_loss" ? best.toFixed(4) : percent(best);
}

function updateRow(row, study) {
  updateStateBadge(part(row, "state"), study.state);
  updateProgress(part(row, "progress"), study.progress);
  setText(part(row, "best"), bestValidation(study));
  setText(part(row, "created"), ago(study.created_at));
}

async function refresh() {
  const studies = [];
  let cursor = null;
  for (let page = 0; page < nPages; page += 1) {
    const query = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    const answer = await request(`/v1/studies?limit=${PAGE_SIZE}${query}`);
    studies.push(...answer.items);
    cursor = answer.next_cursor;
    if (!cursor) break;
  }
  syncChildren(find("rows"), studies, (study) => study.id, makeRow, updateRow);
  find("studies").classList.toggle("without-best", !studies.some(hasBest));
  show(find("loading"), false);
  show(find("empty"), studies.length === 0);
  show(find("studies"), studies.length > 0);
  show(find("more"), cursor !== null);
  return true;
}

find("more").addEventListener("click", () => {
  nPages += 1;
  refresh();
});
poll(POLL_SECONDS, refresh);
