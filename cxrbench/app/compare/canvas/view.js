// What the reader chose to see: kept in the browser, written into links, sent to the server only when it shows one.

/** @import { Panel } from "./panel.js" */
/** @import { PanelData, SceneData } from "./schema.js" */

/**
 * @typedef {object} View
 * @property {number} opacity of the strongest values, in [0, 1]
 * @property {boolean} moved whether the reader chose the opacity; until then an ensemble's map has its own
 * @property {number} threshold share of full colour below which nothing is drawn
 * @property {string} colours name of a colour table, or "auto"
 * @property {string} scale a key of the scene's scales
 * @property {boolean} outline
 * @property {boolean} fade whether weak values let the radiograph show through
 * @property {number} zoom from 1 to MAX_ZOOM
 * @property {number} x centre of the view, as a fraction of the radiograph
 * @property {number} y
 */

/** @typedef {Pick<Panel, "id" | "group" | "map" | "peak" | "fixed">} Scaled */

/** @type {Readonly<View>} */
export const DEFAULTS = {
  opacity: 0.6,
  moved: false,
  threshold: 0,
  colours: "auto",
  scale: "map",
  outline: true,
  fade: true,
  zoom: 1,
  x: 0.5,
  y: 0.5,
};
const MAX_ZOOM = 12;
/** @type {View | null} */
let remembered = null; // one for all scenes; survives leaving the page and coming back

/**
 * @param {number} value
 * @returns {number}
 */
export const percent = (value) => Math.round(value * 100);

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 * @returns {number}
 */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/**
 * "oa-t10-cviridis-…" with an opacity that nobody chose, else "o60-t10-cviridis-smethod-m1-f1-z2-x50-y40".
 *
 * @param {View} view
 * @returns {string}
 */
export function writeView(view) {
  return [
    view.moved ? `o${percent(view.opacity)}` : "oa",
    `t${percent(view.threshold)}`,
    `c${view.colours.replace("-", ".")}`, // the parts are separated by "-"
    `s${view.scale}`,
    `m${Number(view.outline)}`,
    `f${Number(view.fade)}`,
    `z${Number(view.zoom.toFixed(2))}`,
    `x${percent(view.x)}`,
    `y${percent(view.y)}`,
  ].join("-");
}

/**
 * The view as links hold it: "" where the reader changed nothing.
 *
 * @param {View} view
 * @returns {string}
 */
export function viewParameter(view) {
  const text = writeView(view);
  return text === writeView(DEFAULTS) ? "" : text;
}

/**
 * A view from a link, read without trust: what is missing or out of range falls back to the defaults.
 *
 * @param {string | null} text as `writeView` writes it
 * @param {Pick<SceneData, "colours" | "scales">} data
 * @returns {View}
 */
export function readView(text, data) {
  const view = { ...DEFAULTS };
  /** @type {Map<string, string>} */
  const parts = new Map();
  for (const part of (text ?? "").split("-")) {
    // The first of a letter counts: older links have "cblue-orange", whose second half begins with one.
    if (!parts.has(part[0])) parts.set(part[0], part.slice(1));
  }
  /** @type {(letter: string, scale: number, low: number, high: number, fallback: number) => number} */
  const number = (letter, scale, low, high, fallback) => {
    const value = parseFloat(parts.get(letter) ?? "") / scale;
    return Number.isFinite(value) ? clamp(value, low, high) : fallback;
  };
  view.opacity = number("o", 100, 0, 1, view.opacity);
  view.moved = Number.isFinite(parseFloat(parts.get("o") ?? ""));
  view.threshold = number("t", 100, 0, 0.95, view.threshold);
  view.zoom = number("z", 1, 1, MAX_ZOOM, view.zoom);
  view.x = number("x", 100, 0, 1, view.x);
  view.y = number("y", 100, 0, 1, view.y);
  const [colours, scale] = [(parts.get("c") ?? "").replace(".", "-"), parts.get("s") ?? ""];
  if (colours === "auto" || Object.hasOwn(data.colours, colours)) view.colours = colours;
  if (Object.hasOwn(data.scales, scale)) view.scale = scale;
  if (parts.get("m")) view.outline = parts.get("m") !== "0";
  if (parts.get("f")) view.fade = parts.get("f") !== "0";
  return view;
}

/**
 * @param {SceneData} data
 * @returns {View}
 */
export function firstView(data) {
  remembered ??= readView(new URLSearchParams(location.search).get("view"), data);
  return remembered;
}

/**
 * Keep the view on the radiograph: at zoom z, its centre stays half a window from every edge.
 *
 * @param {View} view
 */
export function settle(view) {
  view.zoom = clamp(view.zoom, 1, MAX_ZOOM);
  const margin = 0.5 / view.zoom;
  view.x = clamp(view.x, margin, 1 - margin);
  view.y = clamp(view.y, margin, 1 - margin);
}

/**
 * Zoom by a factor so that the point (x, y) of the radiograph, in fractions, stays where it is on the screen.
 *
 * @param {View} view
 * @param {number} factor
 * @param {number} [x]
 * @param {number} [y]
 */
export function zoomAt(view, factor, x = view.x, y = view.y) {
  const before = view.zoom;
  view.zoom = clamp(before * factor, 1, MAX_ZOOM);
  view.x = x + ((view.x - x) * before) / view.zoom;
  view.y = y + ((view.y - y) * before) / view.zoom;
  settle(view);
}

/**
 * How much of a panel's map covers the radiograph at most.
 *
 * @param {Pick<PanelData, "opacity">} panel
 * @param {View} view
 * @returns {number}
 */
export function opacityOf(panel, view) {
  return view.moved ? view.opacity : (panel.opacity ?? view.opacity);
}

/**
 * The colour table of a panel: its own where it has one (a deviation is no map and must not look like one), else
 * cividis for maps cut at zero, blue to orange for signed ones, unless chosen.
 *
 * @param {Pick<PanelData, "colours" | "signed">} panel
 * @param {View} view
 * @param {Pick<SceneData, "colours">} data
 * @returns {string}
 */
export function colourName(panel, view, data) {
  if (panel.colours) return panel.colours;
  const fallback = panel.signed ? "blue-orange" : "cividis";
  const chosen = data.colours[view.colours];
  return chosen && chosen.diverging === panel.signed ? view.colours : fallback;
}

/**
 * What full colour stands for in each panel, under the scale the reader chose.
 *
 * @param {Scaled[]} panels
 * @param {string} scale
 * @returns {Record<string, number>} by the panel's id
 */
export function peaksOf(panels, scale) {
  /** @type {(panel: Scaled) => string} */
  const group = (panel) => ({ map: panel.id, method: panel.group, all: "all" })[scale] ?? panel.id;
  /** @type {Record<string, number>} */
  const together = {};
  const drawn = panels.filter((panel) => panel.map);
  for (const panel of drawn) {
    if (!panel.fixed) together[group(panel)] = Math.max(together[group(panel)] ?? 0, panel.peak);
  }
  return Object.fromEntries(drawn.map((panel) => [panel.id, panel.fixed ? panel.peak : together[group(panel)]]));
}
