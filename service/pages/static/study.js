// One study, live: progress, actions, failures, learning curves and trials.

import { request } from "./api.js";
import { makeCurves } from "./curves.js";
import { element, find, part, setText, show, showProblem, syncChildren, updateStateBadge } from "./dom.js";
import { ago, count, duration } from "./format.js";
import { label, varyingParameters } from "./parameters.js";
import { TRIAL_COLOURS } from "./plots.js";
import { poll } from "./poll.js";
import { hasEnded, makeProgress, statesInUse, updateProgress } from "./progress.js";
import { makeTrials } from "./trials.js";

const POLL_SECONDS = 2;
const N_SHOWN_AT_FIRST = 3;

const studyId = find("study").dataset.study;
const studyPath = `/v1/studies/${encodeURIComponent(studyId)}`;
const slots = new Map();
let chosenByHand = false;
let trials = null;

const curves = makeCurves(studyId, toggle);
const progress = makeProgress();
find("progress").append(progress);

function freeSlot() {
  const taken = new Set(slots.values());
  return TRIAL_COLOURS.findIndex((_, slot) => !taken.has(slot));
}

function toggle(number) {
  chosenByHand = true;
  if (!slots.delete(number)) {
    if (freeSlot() < 0) slots.delete(slots.keys().next().value);
    slots.set(number, freeSlot());
  }
  trials.render();
  refreshCurves().catch(showProblem);
}

function chooseBest(objective) {
  if (chosenByHand) return;
  const sign = objective === "validation_loss" ? 1 : -1;
  const score = (trial) => trial.metrics[objective]?.mean ?? null;
  const measured = trials.all().filter((trial) => score(trial) !== null);
  measured.sort((one, other) => sign * (score(one) - score(other)));
  const started = trials.all().filter((trial) => trial.state === "running");
  const best = (measured.length ? measured : started).slice(0, N_SHOWN_AT_FIRST).map((trial) => trial.number);
  for (const number of [...slots.keys()]) if (!best.includes(number)) slots.delete(number);
  for (const number of best) if (!slots.has(number)) slots.set(number, freeSlot());
  trials.render();
}

function refreshCurves() {
  const known = new Map(trials.all().map((trial) => [trial.number, trial]));
  const names = varyingParameters(trials.all());
  const chosen = [...slots].filter(([number]) => known.has(number));
  return curves.refresh(chosen.map(([number, slot]) => ({ number, slot, label: label(known.get(number), names) })));
}

function updateCounts(study) {
  const make = ({ state }) => element("li", {}, element("i", { class: `swatch fill-${state}` }), element("span", { "data-part": "n" }));
  syncChildren(find("counts"), statesInUse(study.progress.trials), ({ state }) => state, make, (node, { state, n }) => {
    setText(part(node, "n"), `${count(n, "trial")} ${state}`);
  });
  const words = statesInUse(study.progress.replicates).map(({ state, n }) => `${n.toLocaleString("en")} ${state}`);
  setText(find("replicates"), words.length ? `Replicates: ${words.join(", ")}` : "");
}

function updateTimes(study) {
  const words = [`Created ${ago(study.created_at)}`];
  if (study.started_at) words.push(`${study.finished_at ? "took" : "running for"} ${duration(study.started_at, study.finished_at)}`);
  setText(find("times"), words.join(" · "));
}

function updateFailures() {
  const groups = new Map();
  for (const trial of trials.all().filter((candidate) => candidate.reason)) {
    const key = `${trial.state}: ${trial.reason}`;
    groups.set(key, [...(groups.get(key) ?? []), trial.number]);
  }
  show(find("failures"), groups.size > 0);
  const make = () => element("li", {}, element("strong", { "data-part": "who" }), " ", element("span", { "data-part": "why" }));
  syncChildren(find("failure-list"), [...groups], ([key]) => key, make, (node, [key, numbers]) => {
    setText(part(node, "who"), `Trial${numbers.length > 1 ? "s" : ""} ${numbers.join(", ")}`);
    setText(part(node, "why"), key);
  });
}

function updateStudy(study) {
  updateStateBadge(find("state"), study.state);
  updateProgress(progress, study.progress);
  updateCounts(study);
  updateTimes(study);
  show(find("reason"), Boolean(study.reason));
  setText(find("reason"), study.reason ?? "");
  show(find("pause"), ["queued", "running"].includes(study.state));
  show(find("resume"), study.state === "paused");
  show(find("cancel"), !hasEnded(study));
}

function fingerprint(study) {
  return JSON.stringify([study.state, study.version, study.progress]);
}

let seen = "";

async function refresh() {
  const study = await request(studyPath);
  updateStudy(study);
  trials ??= makeTrials(studyId, study.spec.objective.metric, { slotOf: (number) => slots.get(number), onToggle: toggle });
  if (fingerprint(study) !== seen) {
    await trials.refresh();
    updateFailures();
    chooseBest(study.spec.objective.metric);
    await refreshCurves();
    seen = fingerprint(study);
  }
  return !hasEnded(study);
}

async function act(verb) {
  try {
    updateStudy(await request(`${studyPath}:${verb}`, { method: "POST" }));
    showProblem(null);
  } catch (problem) {
    showProblem(problem);
  }
}

find("pause").addEventListener("click", () => act("pause"));
find("resume").addEventListener("click", () => act("resume"));
find("cancel").addEventListener("click", () => find("confirm").showModal());
find("confirm").addEventListener("close", () => {
  if (find("confirm").returnValue === "cancel") act("cancel");
});
curves.onMeasure(() => refreshCurves().catch(showProblem));
poll(POLL_SECONDS, refresh);
