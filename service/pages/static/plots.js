// Draws plotly figures in the page's own colours, light or dark.

const CONFIG = {
  displaylogo: false,
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d", "pan2d", "zoom2d"],
};
export const TRIAL_COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"];
const PIXELS_PER_CHARACTER = 7;
const TICK_LABEL_PIXELS = 140;
const RESIZE_MILLISECONDS = 120;

const drawn = new Map();
let loading = null;
let resizing = null;

// The plotting library is large: no page waits for it with its words and tables.
export function loadPlotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = document.querySelector('meta[name="plotly"]').content;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => reject(new Error("the plotting library could not be loaded"));
    document.head.append(script);
  });
  return loading;
}

// Plotly does not wrap titles: lines of about as many characters as fit, broken between words.
function wrapped(text, width) {
  const longest = Math.max(16, Math.floor((width - TICK_LABEL_PIXELS) / PIXELS_PER_CHARACTER));
  const lines = [""];
  for (const word of (text ?? "").split(" ")) {
    const line = lines.at(-1);
    if (line && line.length + word.length >= longest) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.join("<br>");
}

function themed(layout, width) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const axis = {
    gridcolor: colour("--grid"), zerolinecolor: colour("--axis"), linecolor: colour("--axis"), automargin: true,
    tickfont: { color: colour("--muted") },
  };
  const base = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", dragmode: false, width,
    font: { family: style.fontFamily, size: 12, color: colour("--ink") },
    hoverlabel: { bgcolor: colour("--surface"), bordercolor: colour("--axis"), font: { color: colour("--ink") } },
  };
  const result = { ...layout, ...base, template: null };
  const axes = Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key));
  for (const name of new Set([...axes, "xaxis", "yaxis"])) result[name] = { ...layout[name], ...axis };
  for (const name of axes.filter((key) => key.startsWith("x") && layout[key].title?.text)) {
    result[name].title = { ...layout[name].title, text: wrapped(layout[name].title.text, width) };
  }
  return result;
}

// `layoutFor` takes the width in pixels: a figure may be laid out otherwise on a phone.
export async function draw(node, data, layoutFor) {
  const plotly = await loadPlotly();
  const width = node.clientWidth;
  drawn.set(node, { data, layoutFor, width });
  await plotly.react(node, data, themed(layoutFor(width), width), CONFIG);
}

function drawAgain(isStale) {
  for (const [node, figure] of drawn) if (isStale(node, figure)) draw(node, figure.data, figure.layoutFor);
}

export function forget(node) {
  drawn.delete(node);
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  drawAgain(() => true);
});
window.addEventListener("resize", () => {
  clearTimeout(resizing);
  resizing = setTimeout(() => drawAgain((node, { width }) => node.clientWidth && node.clientWidth !== width), RESIZE_MILLISECONDS);
});
