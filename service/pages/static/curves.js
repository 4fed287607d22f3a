// Learning curves of the chosen trials: one panel each for train, validation and test, one colour per trial.

import { request } from "./api.js";
import { element, find, part, setText, show, syncChildren } from "./dom.js";
import { TRIAL_COLOURS, draw } from "./plots.js";

const SPLITS = ["train", "validation", "test"];
const NARROW_PIXELS = 640;

function band(series, colour, axes, group) {
  const upper = { x: series.epoch, y: series.high, mode: "lines", line: { width: 0 }, connectgaps: true };
  const common = { ...axes, legendgroup: group, showlegend: false, hoverinfo: "skip" };
  const lower = { ...upper, y: series.low, fill: "tonexty", fillcolor: `${colour}26` };
  return [{ ...upper, ...common }, { ...lower, ...common }];
}

function line(series, colour, axes, group, split) {
  return {
    x: series.epoch, y: series.mean, name: group, mode: series.epoch.length === 1 ? "markers" : "lines",
    line: { color: colour, width: 2 }, marker: { color: colour }, connectgaps: true, showlegend: false,
    hovertemplate: `${group} · ${split} %{y:.4f}<extra></extra>`, ...axes,
  };
}

function traces(trials, slotOf) {
  return SPLITS.flatMap((split, index) => {
    const suffix = index === 0 ? "" : String(index + 1);
    const axes = { xaxis: `x${suffix}`, yaxis: `y${suffix}` };
    const drawn = trials.filter((trial) => trial.series[split]?.epoch.length);
    const colour = (trial) => TRIAL_COLOURS[slotOf(trial.number)];
    return [
      ...drawn.flatMap((trial) => band(trial.series[split], colour(trial), axes, `#${trial.number}`)),
      ...drawn.map((trial) => line(trial.series[split], colour(trial), axes, `#${trial.number}`, split)),
    ];
  });
}

function layoutOf(measure, narrow) {
  const layout = {
    height: narrow ? 720 : 340, margin: { l: 56, r: 12, t: 34, b: 46 }, hovermode: "x",
    grid: { rows: narrow ? 3 : 1, columns: narrow ? 1 : 3, pattern: "independent", xgap: 0.06, ygap: 0.24 },
    annotations: [],
  };
  SPLITS.forEach((split, index) => {
    const suffix = index === 0 ? "" : String(index + 1);
    layout[`xaxis${suffix}`] = { title: { text: narrow && index < 2 ? "" : "epoch" }, rangemode: "tozero" };
    layout[`yaxis${suffix}`] = { matches: index === 0 ? undefined : "y", tickformat: measure === "loss" ? "" : ".0%" };
    if (index === 0 || narrow) layout[`yaxis${suffix}`].title = { text: measure.replace("_", " ") };
    else layout[`yaxis${suffix}`].showticklabels = false;
    layout.annotations.push({
      text: `<b>${split}</b>`, showarrow: false, xref: `x${suffix} domain`, yref: `y${suffix} domain`,
      x: 0, y: 1, xanchor: "left", yanchor: "bottom", yshift: 6,
    });
  });
  return layout;
}

export function makeCurves(studyId, onRemove) {
  let measure = "accuracy";
  let latest = 0;

  function updateLegend(chosen) {
    syncChildren(find("chosen"), chosen, (trial) => trial.number, makeChip, updateChip);
  }

  function makeChip(trial) {
    const remove = element("button", {
      type: "button", class: "plain", "aria-label": `Hide trial ${trial.number}`, text: "×", onclick: () => onRemove(trial.number),
    });
    return element("li", {}, element("i", { class: "swatch", "data-part": "swatch" }), element("span", { "data-part": "name" }), remove);
  }

  function updateChip(chip, trial) {
    part(chip, "swatch").style.background = TRIAL_COLOURS[trial.slot];
    setText(part(chip, "name"), trial.label);
  }

  async function refresh(chosen) {
    updateLegend(chosen);
    latest += 1;
    const mine = latest;
    if (chosen.length === 0) return showPlot([]);
    const query = chosen.map((trial) => `trial=${trial.number}`).join("&");
    const answer = await request(`/ui/studies/${encodeURIComponent(studyId)}/curves?measure=${measure}&${query}`);
    if (mine !== latest) return undefined;
    const slots = new Map(chosen.map((trial) => [trial.number, trial.slot]));
    return showPlot(answer.trials.filter((trial) => Object.keys(trial.series).length), (number) => slots.get(number));
  }

  async function showPlot(trials, slotOf) {
    const node = find("curves");
    const drawnMeasure = measure;
    const layoutFor = (width) => layoutOf(drawnMeasure, width < NARROW_PIXELS);
    show(node, trials.length > 0);
    show(find("no-curves"), trials.length === 0);
    if (trials.length) await draw(node, traces(trials, slotOf), layoutFor);
  }

  function onMeasure(changed) {
    for (const button of document.querySelectorAll("[data-measure]")) {
      button.addEventListener("click", () => {
        measure = button.dataset.measure;
        for (const other of document.querySelectorAll("[data-measure]")) {
          other.setAttribute("aria-pressed", String(other === button));
        }
        changed();
      });
    }
  }

  return { refresh, onMeasure };
}
