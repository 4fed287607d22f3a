// Numbers and times for people. Accuracies come as fractions and are shown in percent.

const MISSING = "–";

export function percent(fraction, digits = 1) {
  return typeof fraction === "number" ? `${(100 * fraction).toFixed(digits)} %` : MISSING;
}

export function points(fraction, digits = 1) {
  if (typeof fraction !== "number") return MISSING;
  const text = (100 * Math.abs(fraction)).toFixed(digits);
  const sign = Number(text) === 0 ? "" : fraction > 0 ? "+" : "−";
  return sign + text;
}

export function interval(summary, digits = 1) {
  if (typeof summary?.low !== "number" || typeof summary?.high !== "number") return "";
  return `${(100 * summary.low).toFixed(digits)} to ${(100 * summary.high).toFixed(digits)}`;
}

export function withError(summary, asPercent) {
  if (typeof summary?.mean !== "number") return MISSING;
  const shown = (value) => (asPercent ? (100 * value).toFixed(1) : value.toFixed(3));
  const error = typeof summary.standard_error === "number" ? ` ± ${shown(summary.standard_error)}` : "";
  return `${shown(summary.mean)}${error}${asPercent ? " %" : ""}`;
}

export function pValue(value) {
  if (typeof value !== "number") return MISSING;
  if (value < 0.001) return "< 0.001";
  return value.toFixed(value < 0.1 ? 3 : 2);
}

export function level(value) {
  if (value === null || value === undefined) return "off";
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value !== "number") return String(value);
  if (value === 0 || Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  return size < 0.0001 ? value.toExponential(2).replace(/\.?0+e/, "e") : String(Number(value.toPrecision(4)));
}

export function count(n, one, many = `${one}s`) {
  return `${n.toLocaleString("en")} ${n === 1 ? one : many}`;
}

export function ago(moment, now = Date.now()) {
  const seconds = Math.max(0, (now - new Date(moment).getTime()) / 1000);
  if (seconds < 60) return "just now";
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return new Date(moment).toLocaleDateString("en", { day: "numeric", month: "short", year: "numeric" });
}

export function duration(from, to) {
  const seconds = Math.max(0, (new Date(to ?? Date.now()) - new Date(from)) / 1000);
  if (seconds < 60) return `${Math.round(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
}

export function fullTime(moment) {
  return new Date(moment).toLocaleString("en-GB");
}

export function clock(now = new Date()) {
  return now.toLocaleTimeString("en-GB");
}
