// Puts the figures that the server made into their sections. A figure's title becomes a heading, which can wrap.

import { element, find, setText, show, syncChildren } from "./dom.js";
import { draw, forget } from "./plots.js";

// Place in the page, and the names of the figures that belong there.
const PLACES = [
  ["forest", /^differences$/],
  ["responses", /^dose_/],
  ["patience", /^patience$/],
  ["interactions", /^interaction_/],
  ["learning", /^learning_/],
];
const LEGEND_PIXELS = 44;
const NARROW_PIXELS = 480;

function makeFigure() {
  return element("figure", {}, element("h3"), element("div", { class: "plot" }));
}

// Legends say "train (mean, 95 %)": the page has said what is drawn, and the words must fit beside each other.
function shortNamed(data) {
  return data.map((trace) => (trace.name ? { ...trace, name: trace.name.replace(/ \(.*\)$/, "") } : trace));
}

// On a phone the headings of the forest lose their verdicts, which stand above.
function shortHeadings(axis) {
  if (!axis?.ticktext) return axis;
  return { ...axis, ticktext: axis.ticktext.map((text) => text.replace(/^<b>([^:]*):.*<\/b>$/, "<b>$1</b>")) };
}

function fitted(layout, width) {
  const result = { ...layout, title: undefined, margin: { ...layout.margin, t: LEGEND_PIXELS } };
  if (width < NARROW_PIXELS) result.yaxis = shortHeadings(layout.yaxis);
  return result;
}

async function fill(place, figures) {
  for (const old of place.children) if (!figures.some(([name]) => name === old.dataset.key)) forget(old.lastElementChild);
  syncChildren(place, figures, ([name]) => name, makeFigure, (node, [, { layout }]) => {
    setText(node.firstElementChild, layout.title.text);
    node.lastElementChild.style.minHeight = `${layout.height}px`;
  });
  const plots = [...place.children].map((node) => node.lastElementChild);
  await Promise.all(figures.map(([, { data, layout }], index) => draw(plots[index], shortNamed(data), (width) => fitted(layout, width))));
}

export async function showFigures(figures) {
  const named = Object.entries(figures);
  for (const [id, pattern] of PLACES) {
    const mine = named.filter(([name]) => pattern.test(name));
    show(find(`${id}-section`), mine.length > 0);
    await fill(find(id), mine);
  }
}
