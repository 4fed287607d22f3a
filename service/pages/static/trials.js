// The table of trials: one column per parameter, sortable, loaded page by page.

import { request } from "./api.js";
import { element, find, setText, show, stateBadge, syncChildren } from "./dom.js";
import { level, withError } from "./format.js";
import { title, varyingParameters } from "./parameters.js";
import { TRIAL_COLOURS } from "./plots.js";

const PAGE_SIZE = 50;
const ENDED = new Set(["complete", "pruned", "failed", "cancelled"]);

function mean(trial, metric) {
  return trial.metrics[metric]?.mean ?? null;
}

function doneReplicates(trial) {
  return trial.replicates.filter((replicate) => ENDED.has(replicate.state)).length;
}

function columnsFor(trials, objective) {
  const parameters = varyingParameters(trials).map((name) => ({
    key: `parameter ${name}`, title: title(name), hint: name, number: true,
    value: (trial) => trial.parameters[name] ?? null, text: (trial) => level(trial.parameters[name]),
  }));
  const metric = (name, heading, asPercent) => ({
    key: name, title: heading, number: true, value: (trial) => mean(trial, name), text: (trial) => withError(trial.metrics[name], asPercent),
  });
  return [
    { key: "number", title: "#", number: true, value: (trial) => trial.number, text: (trial) => String(trial.number) },
    { key: "state", title: "State", value: (trial) => trial.state, badge: true },
    ...(objective === "validation_loss" ? [metric("validation_loss", "Validation loss", false)] : []),
    ...(objective === "validation_balanced_accuracy" ? [
      metric("validation_balanced_accuracy", "Validation (balanced)", true),
      metric("test_balanced_accuracy", "Test (balanced)", true),
    ] : []),
    metric("validation_accuracy", "Validation", true),
    metric("test_accuracy", "Test", true),
    ...parameters,
    {
      key: "replicates", title: "Replicates", number: true, value: doneReplicates,
      text: (trial) => `${doneReplicates(trial)} / ${trial.replicates.length}`,
    },
    ...(trials.some((trial) => trial.reason)
      ? [{ key: "reason", title: "Reason", value: (trial) => trial.reason, text: (trial) => trial.reason ?? "", reason: true }]
      : []),
  ];
}

function compare(one, other) {
  if (one === null || other === null) return one === other ? 0 : one === null ? 1 : -1;
  return typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other));
}

function sorted(trials, columns, sort) {
  const column = columns.find((candidate) => candidate.key === sort.key) ?? columns[0];
  return [...trials].sort((one, other) => {
    const missing = column.value(one) === null || column.value(other) === null;
    return compare(column.value(one), column.value(other)) * (missing ? 1 : sort.sign) || one.number - other.number;
  });
}

export function makeTrials(studyId, objective, { slotOf, onToggle }) {
  let pages = [];
  let nPages = 1;
  let sort = { key: "number", sign: 1 };

  async function loadPage(index) {
    const cursor = index === 0 ? null : pages[index - 1].next_cursor;
    const query = cursor ? `&cursor=${encodeURIComponent(cursor)}` : "";
    return request(`/v1/studies/${encodeURIComponent(studyId)}/trials?limit=${PAGE_SIZE}${query}`);
  }

  function isSettled(page) {
    return page !== undefined && page.next_cursor !== null && page.items.every((trial) => ENDED.has(trial.state));
  }

  async function refresh() {
    for (let index = 0; index < nPages; index += 1) {
      if (!isSettled(pages[index])) pages[index] = await loadPage(index);
      if (pages[index].next_cursor === null) {
        pages = pages.slice(0, index + 1);
        break;
      }
    }
    render();
  }

  function all() {
    return pages.flatMap((page) => page.items);
  }

  function makeHeading(column) {
    const button = element("button", { type: "button", class: "plain", onclick: () => sortBy(column.key) });
    return element("th", { class: column.number ? "number" : "", scope: "col", title: column.hint }, button);
  }

  function updateHeading(cell, column) {
    const active = column.key === sort.key;
    setText(cell.firstElementChild, `${column.title}${active ? (sort.sign > 0 ? "\u00a0↑" : "\u00a0↓") : ""}`);
    if (active) cell.setAttribute("aria-sort", sort.sign > 0 ? "ascending" : "descending");
    else cell.removeAttribute("aria-sort");
  }

  function sortBy(key) {
    const downFirst = /^(validation|test)_.*accuracy$/.test(key);
    sort = { key, sign: sort.key === key ? -sort.sign : downFirst ? -1 : 1 };
    render();
  }

  function makeRow(trial) {
    const box = element("input", {
      type: "checkbox", "aria-label": `Show curves of trial ${trial.number}`, onchange: () => onToggle(trial.number),
    });
    return element("tr", {}, element("td", { class: "choose" }, box));
  }

  function makeCell(column) {
    return element("td", { class: `${column.number ? "number" : ""}${column.reason ? " reason" : ""}` });
  }

  function updateRow(row, trial, columns) {
    const slot = slotOf(trial.number);
    const box = row.querySelector("input");
    box.checked = slot !== undefined;
    box.style.accentColor = slot === undefined ? "" : TRIAL_COLOURS[slot];
    const choose = row.firstElementChild;
    choose.dataset.key = "choose";
    syncChildren(row, [{ key: "choose" }, ...columns], (column) => column.key, makeCell, (cell, column) => {
      if (column.badge) syncBadge(cell, trial.state);
      else if (column.text) setText(cell, column.text(trial));
    });
  }

  function syncBadge(cell, state) {
    if (cell.textContent !== state) cell.replaceChildren(stateBadge(state));
  }

  function render() {
    const trials = all();
    const columns = columnsFor(trials, objective);
    show(find("trials"), trials.length > 0);
    show(find("no-trials"), trials.length === 0);
    const headings = [{ key: "choose", title: "" }, ...columns];
    syncChildren(find("trial-head"), headings, (c) => c.key, (c) => (c.title ? makeHeading(c) : chooseHeading()), (cell, c) => c.title && updateHeading(cell, c));
    syncChildren(find("trial-rows"), sorted(trials, columns, sort), (t) => t.number, makeRow, (row, t) => updateRow(row, t, columns));
    const more = pages.at(-1)?.next_cursor ?? null;
    show(find("more"), more !== null);
    setText(find("trial-note"), more === null ? "" : `The first ${trials.length} trials; sorting covers these.`);
  }

  function chooseHeading() {
    return element("th", { class: "choose", scope: "col" }, element("span", { class: "visually-hidden", text: "Curves" }));
  }

  find("more").addEventListener("click", () => {
    nPages += 1;
    refresh();
  });
  return { refresh, render, all };
}
