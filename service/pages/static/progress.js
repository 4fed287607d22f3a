// The progress of a study: a bar with one part per state of its trials, and the same in words.

import { element, part, setText } from "./dom.js";
import { count } from "./format.js";

const ENDED = ["complete", "pruned", "failed", "cancelled"];
const SHOWN = ["complete", "pruned", "failed", "running", "queued", "cancelled"];

export function hasEnded(study) {
  return ["finished", "failed", "cancelled"].includes(study.state);
}

function totals(progress) {
  const planned = Object.values(progress.trials).reduce((sum, n) => sum + n, 0);
  return {
    ended: ENDED.reduce((sum, state) => sum + (progress.trials[state] ?? 0), 0),
    total: Math.max(progress.trials_total ?? 0, planned),
  };
}

export function makeProgress() {
  const bar = element("div", { class: "bar", role: "progressbar", "aria-valuemin": "0", "aria-label": "Trials ended" });
  for (const state of ["complete", "pruned", "failed", "running"]) {
    bar.append(element("span", { class: `part fill-${state}`, "data-part": state }));
  }
  return element("div", { class: "progress" }, bar, element("div", { class: "small muted", "data-part": "words" }));
}

export function updateProgress(node, progress) {
  const { ended, total } = totals(progress);
  const bar = node.firstElementChild;
  bar.setAttribute("aria-valuemax", String(total));
  bar.setAttribute("aria-valuenow", String(ended));
  for (const piece of bar.children) {
    piece.style.width = total ? `${(100 * (progress.trials[piece.dataset.part] ?? 0)) / total}%` : "0";
  }
  const epochs = progress.epochs_total
    ? `${progress.epochs_done.toLocaleString("en")} of ${count(progress.epochs_total, "epoch")}`
    : count(progress.epochs_done, "epoch");
  setText(part(node, "words"), `${ended} of ${count(total, "trial")} · ${epochs}`);
}

export function statesInUse(counts) {
  return SHOWN.filter((state) => counts[state]).map((state) => ({ state, n: counts[state] }));
}
