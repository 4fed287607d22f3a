// Parameters of trials as people read them: `dropout.rate` is "dropout rate", a disabled regularizer reads "off".

import { level } from "./format.js";

const SHORT = { "early_stopping.patience": "patience" };

function owner(name) {
  return name.split(".")[0];
}

// `<regularizer>.enabled` needs no column of its own: the regularizer's knobs read "off" there.
function parameterNames(trials) {
  const names = new Set(trials.flatMap((trial) => Object.keys(trial.parameters)));
  const knobs = [...names].filter((name) => !name.endsWith(".enabled"));
  const lonely = [...names].filter((name) => name.endsWith(".enabled") && !knobs.some((knob) => owner(knob) === owner(name)));
  return [...knobs, ...lonely].sort();
}

// Those that differ between trials; the others say nothing about any one of them.
export function varyingParameters(trials) {
  return parameterNames(trials).filter((name) => new Set(trials.map((trial) => trial.parameters[name])).size > 1);
}

export function title(name) {
  return SHORT[name] ?? name.replace(/^l([12])\b/, "L$1").replaceAll(/[._]/g, " ");
}

export function label(trial, names) {
  const named = names.map((name) => `${title(name)} ${level(trial.parameters[name])}`);
  return `#${trial.number}${named.length ? ` · ${named.join(", ")}` : ""}`;
}
