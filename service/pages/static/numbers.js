// The numbers of the effects page: the table of levels, and the tiles with noise floor and best trials.

import { element, find, setText, show } from "./dom.js";
import { count, interval, level, pValue, percent, points } from "./format.js";
import { title } from "./parameters.js";

function withInterval(summary) {
  if (typeof summary.mean !== "number") return "–";
  const range = interval(summary);
  return `${(100 * summary.mean).toFixed(1)}${range ? ` (${range})` : ""}`;
}

function differenceText(entry) {
  const difference = entry.difference_from_off;
  if (!difference) return entry.is_reference ? "reference" : "–";
  const range = typeof difference.low === "number" ? ` (${points(difference.low)} to ${points(difference.high)})` : "";
  return `${points(difference.mean)}${range}${difference.paired ? "" : ", unpaired"}`;
}

function levelRow(entry) {
  const difference = entry.difference_from_off;
  const significant = typeof difference?.p_value_holm === "number" && difference.p_value_holm < 0.05;
  const cells = [
    [entry.label, ""],
    [differenceText(entry), significant ? "number significant" : "number"],
    [pValue(difference?.p_value_holm), "number"],
    [difference ? percent(difference.probability_better, 0) : "–", "number"],
    [withInterval(entry.test_accuracy), "number"],
    [percentNumber(entry.validation_accuracy), "number"],
    [percentNumber(entry.train_accuracy), "number"],
    [String(entry.n), "number"],
  ];
  return element("tr", {}, ...cells.map(([text, kind]) => element("td", { class: kind, text })));
}

function percentNumber(summary) {
  return typeof summary.mean === "number" ? (100 * summary.mean).toFixed(1) : "–";
}

export function showLevels(effects) {
  const rows = effects.regularizers.flatMap((regularizer) => [
    element("tr", { class: "group" }, element("td", { colspan: "8", text: title(`${regularizer.name}.${regularizer.knob}`) })),
    ...regularizer.levels.map(levelRow),
  ]);
  find("level-rows").replaceChildren(...rows);
  for (const place of document.querySelectorAll("[data-part=measure]")) setText(place, effects.study.measure);
  show(find("table-section"), rows.length > 0);
}

function tile(heading, big, lines) {
  const list = element("ul", {}, ...lines.filter(Boolean).map((text) => element("li", { text })));
  return element("section", { class: "tile" }, element("h2", { text: heading }), element("div", { class: "big", text: big }), list);
}

function noiseTile({ n, measure, test_accuracy: test }) {
  const spread = typeof test.sd === "number" ? ` ± ${(100 * test.sd).toFixed(1)}` : "";
  return tile("Noise floor: everything off", `${(100 * test.mean).toFixed(1)}${spread} %`, [
    `test ${measure}, mean ± standard deviation of ${count(n, "replicate")} that differ in their seed only`,
  ]);
}

function parametersOf(pick) {
  const told = Object.entries(pick.parameters).filter(([name, value]) => !name.endsWith(".enabled") || value === false);
  const words = told.map(([name, value]) => `${title(name.replace(/\.enabled$/, ""))} ${level(value)}`);
  return words.length ? words : ["no regularizer"];
}

function pickTile(heading, pick, note) {
  return tile(`${heading}: trial ${pick.trial}`, `test ${withInterval(pick.test_accuracy)} %`, [
    ...parametersOf(pick),
    `validation ${withInterval(pick.validation_accuracy)} %, ${count(pick.n, "replicate")}`,
    note,
  ]);
}

function optimism(best) {
  if (typeof best.selection_optimism !== "number") return "";
  return `selection optimism ${points(best.selection_optimism)} points (validation minus test)`;
}

export function showTiles({ noise_floor: noise, best, one_standard_error_pick: pick }) {
  const tiles = [
    best && pickTile("Best on validation", best, optimism(best)),
    pick && pickTile("Most regularized within one standard error", pick, ""),
    noise && noiseTile(noise),
  ].filter(Boolean);
  find("facts-of-study").replaceChildren(...tiles);
  show(find("facts-of-study"), tiles.length > 0);
}
