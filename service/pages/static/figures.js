// Puts the figures that the server made into their sections.

import { element, find, show, syncChildren } from "./dom.js";
import { draw, forget } from "./plots.js";

const SECTIONS = [
  ["forest", "forest-section"],
  ["responses", "responses-section"],
  ["patience", "patience-section"],
  ["interactions", "interactions-section"],
  ["learning", "curves-section"],
];

async function fill(place, figures) {
  const make = () => element("div", { class: "plot" });
  syncChildren(place, figures, (figure) => figure.name, make, () => {});
  await Promise.all([...place.children].map((node, index) => draw(node, figures[index].data, figures[index].layout)));
}

export async function showFigures(groups) {
  for (const [name, section] of SECTIONS) {
    const figures = groups[name] ?? [];
    if (figures.length === 0) for (const node of find(name).children) forget(node);
    show(find(section), figures.length > 0);
    await fill(find(name), figures);
  }
}
