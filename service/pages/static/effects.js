// The effects of one study: verdicts first, then figures and numbers.

import { request } from "./api.js";
import { element, find, setText, show, syncChildren, updateStateBadge } from "./dom.js";
import { clock, count } from "./format.js";
import { showFigures } from "./figures.js";
import { showLevels, showTiles } from "./numbers.js";
import { loadPlotly } from "./plots.js";
import { poll } from "./poll.js";
import { hasEnded } from "./progress.js";

const POLL_SECONDS = 5;
const MARKS = { helps: "▲ helps", hurts: "▼ hurts", "not separable": "≈ not separable" };

const studyId = encodeURIComponent(find("effects").dataset.study);
let seen = "";

function showPartial(study) {
  const { complete = 0 } = study.progress.replicates;
  const planned = Object.values(study.progress.replicates).reduce((sum, n) => sum + n, 0);
  show(find("partial"), study.state !== "finished");
  const so = `${complete.toLocaleString("en")} of ${count(planned, "replicate")} complete`;
  const goesOn = hasEnded(study) ? `This study was ${study.state === "failed" ? "ended by a failure" : study.state}` : `This study is ${study.state}`;
  setText(find("partial"), `${goesOn}: partial effects, from ${so}.${hasEnded(study) ? "" : ` Read at ${clock()}.`}`);
}

function makeVerdict() {
  const item = element("li", { class: "verdict" });
  item.append(element("span", { class: "word" }), element("span", { class: "sentence" }));
  return item;
}

function updateVerdict(item, regularizer) {
  item.className = `verdict ${regularizer.verdict.replace(" ", "-")}`;
  setText(item.firstElementChild, MARKS[regularizer.verdict]);
  setText(item.lastElementChild, regularizer.sentence);
}

function showNumbers(effects) {
  show(find("loading"), effects.study.replicates === 0);
  setText(find("loading"), "No replicate is complete yet; effects appear with the first ones.");
  syncChildren(find("verdicts"), effects.regularizers, (regularizer) => regularizer.name, makeVerdict, updateVerdict);
  showTiles(effects);
  showLevels(effects);
}

function fingerprint(study) {
  return JSON.stringify([study.state, study.progress.replicates]);
}

async function refresh() {
  const study = await request(`/v1/studies/${studyId}`);
  updateStateBadge(find("state"), study.state);
  showPartial(study);
  if (fingerprint(study) !== seen) {
    const [numbers, figures] = [request(`/v1/studies/${studyId}/effects`), request(`/ui/studies/${studyId}/figures`)];
    figures.catch(() => {}); // a failure is told where it is awaited, unless that of the numbers is told first
    showNumbers(await numbers);
    await showFigures(await figures);
    seen = fingerprint(study);
  }
  return !hasEnded(study);
}

loadPlotly().catch(() => {}); // early, while numbers are made; a failure is told when something is to be drawn
poll(POLL_SECONDS, refresh);
