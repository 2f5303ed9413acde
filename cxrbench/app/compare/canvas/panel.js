// One cell of the comparison as the reader sees it: heading, picture, scale, facts, and the value under the cross-hair.

import { contextOf } from "../../widgets/dom.js";
import { element } from "../../widgets/element.js";
import { withMeanings } from "../../widgets/terms.js";
import { drawCross, drawPanel, drawStrip } from "./draw.js";
import { colourise, figure, rasterise, valueAt } from "./field.js";
import { listen } from "./gestures.js";
import { colourName } from "./view.js";

/** @import { Terms } from "../../widgets/terms.js" */
/** @import { Field, Raster } from "./field.js" */
/** @import { Bench, Picture } from "./index.js" */
/** @import { PanelData } from "./schema.js" */

/**
 * The elements of a panel.
 *
 * @typedef {object} Parts
 * @property {HTMLElement} figure
 * @property {HTMLElement} title
 * @property {HTMLElement} subtitle
 * @property {HTMLElement} frame
 * @property {HTMLCanvasElement} base
 * @property {HTMLCanvasElement} cross
 * @property {HTMLElement} notes
 * @property {HTMLProgressElement} progress
 * @property {HTMLElement} legend
 * @property {HTMLElement} low
 * @property {HTMLCanvasElement} strip
 * @property {HTMLElement} high
 * @property {HTMLElement} scale
 * @property {HTMLDetailsElement} truth
 * @property {HTMLElement} verdict
 * @property {HTMLElement} about
 * @property {HTMLElement} facts
 * @property {HTMLElement} readout
 */

/**
 * A panel on the page: what Python sent, its elements, and its map decoded, sampled and coloured.
 *
 * @typedef {Omit<PanelData, "map"> & {map: Field | null, parts: Parts, shown?: Picture, raster?: Raster, painted?: HTMLCanvasElement}} Panel
 */

/**
 * Build a panel's elements once; `fillPanel` writes what changes.
 *
 * @param {Bench} bench
 * @returns {Parts}
 */
export function buildPanel(bench) {
  const parts = {
    figure: element("figure", "panel"),
    title: element("span", "title"),
    subtitle: element("span", "subtitle"),
    frame: element("div", "frame"),
    base: element("canvas", "base"),
    cross: element("canvas", "cross"),
    notes: element("ul", "notes"),
    progress: element("progress", "progress"),
    legend: element("div", "legend"),
    low: element("span", "low"),
    strip: element("canvas", "strip"),
    high: element("span", "high"),
    scale: element("p", "scale"),
    truth: element("details", "truth"),
    verdict: element("summary"),
    about: element("p"),
    facts: element("ul", "facts"),
    readout: element("output", "readout"),
  };
  const heading = element("div", "heading");
  heading.append(parts.title, parts.subtitle);
  parts.base.setAttribute("role", "img");
  parts.cross.setAttribute("aria-hidden", "true");
  parts.strip.setAttribute("aria-hidden", "true");
  parts.strip.width = 120;
  parts.strip.height = 8;
  parts.frame.tabIndex = 0;
  parts.frame.setAttribute("role", "application"); // takes keys: arrows, plus, minus and 0
  parts.frame.append(parts.base, parts.cross, parts.progress);
  parts.legend.append(parts.low, parts.strip, parts.high);
  const caption = element("figcaption");
  const line = element("div", "line");
  line.append(parts.legend, parts.readout);
  parts.truth.append(parts.verdict, parts.about);
  caption.append(line, parts.truth, parts.scale, parts.facts);
  parts.figure.append(heading, parts.frame, caption);
  listen(parts.frame, bench);
  return parts;
}

/**
 * Write into a panel's elements what Python sent.
 *
 * @param {Panel} panel
 * @param {Bench} bench
 * @param {Terms} terms that are not explained yet
 */
export function fillPanel(panel, bench, terms) {
  const { parts } = panel;
  parts.figure.classList.toggle("first", panel.first);
  parts.figure.classList.toggle("pinned", panel.rows > 1);
  parts.figure.classList.toggle("dimmed", panel.dimmed);
  parts.figure.style.setProperty("--rows", String(panel.rows));
  parts.title.replaceChildren(...withMeanings(panel.title, terms));
  parts.subtitle.textContent = panel.subtitle;
  parts.base.setAttribute("aria-label", panel.alt);
  parts.frame.setAttribute("aria-label", `${panel.title}: arrow keys move the cross-hair, plus and minus zoom, 0 shows all`);
  parts.frame.style.aspectRatio = `${bench.picture.width} / ${bench.picture.height}`;
  parts.frame.style.setProperty("--aspect", String(bench.picture.width / bench.picture.height));
  // On the picture only where there is no map to cover: a note must not hide what it is about.
  const covers = panel.kind === "map" && !panel.map;
  parts.notes.replaceChildren(...panel.notes.map((note) => element("li", "", ...(covers ? [note] : withMeanings(note, terms)))));
  parts.notes.hidden = panel.notes.length === 0;
  if (covers) parts.frame.append(parts.notes);
  else parts.facts.before(parts.notes);
  parts.truth.hidden = !panel.truth;
  parts.verdict.textContent = panel.truth?.text ?? "";
  parts.verdict.title = panel.truth?.about ?? "";
  parts.about.textContent = panel.truth?.about ?? "";
  parts.facts.replaceChildren(...panel.facts.map((fact) => element("li", "", ...withMeanings(fact, terms))));
  parts.progress.hidden = panel.progress === null;
  if (panel.progress !== null) {
    parts.progress.value = panel.progress;
    parts.progress.setAttribute("aria-label", `${panel.title}: share of the steps done`);
  }
  parts.legend.style.visibility = panel.map && panel.peak > 0 ? "visible" : "hidden";
  parts.figure.classList.toggle("empty", panel.kind === "map" && !panel.map);
}

/**
 * Colour the map again: after new data, another colour table, threshold or scale.
 *
 * @param {Panel} panel
 * @param {Bench} bench
 */
export function paintPanel(panel, bench) {
  if (!panel.map) return;
  const { view, data } = bench;
  const table = bench.tables[colourName(panel, view, data)];
  const peak = bench.peaks[panel.id];
  panel.raster ??= rasterise(panel.map, bench.picture.width, bench.picture.height);
  panel.painted ??= document.createElement("canvas");
  colourise(panel.raster, panel.painted, table, panel.signed, peak, view);
  drawStrip(contextOf(panel.parts.strip), 120, 8, table, panel.signed, view);
  panel.parts.low.textContent = panel.signed ? `${figure(-peak)} lowers` : "0";
  panel.parts.high.textContent = panel.signed ? `raises ${figure(peak)}` : figure(peak);
  panel.parts.scale.textContent = scaleWords(panel, peak);
}

/**
 * What is said of one map's scale; the scale itself is that of the menu, for all of them.
 *
 * @param {Pick<Panel, "fixed" | "peak">} panel
 * @param {number} peak value at full colour
 * @returns {string}
 */
export function scaleWords(panel, peak) {
  if (!(peak > 0)) return "nothing to draw";
  const share = panel.fixed ? 1 : panel.peak / peak;
  return share < 0.995 ? `this map reaches ${Math.round(share * 100)} % of the scale` : "";
}

/**
 * Fit the canvases to the screen and draw; cheap enough for every frame of a drag.
 *
 * @param {Panel} panel
 * @param {Bench} bench
 */
export function showPanel(panel, bench) {
  const { parts } = panel;
  const ratio = window.devicePixelRatio || 1;
  const width = Math.round(parts.frame.clientWidth * ratio);
  const height = Math.round(parts.frame.clientHeight * ratio);
  if (!width || !height) return;
  for (const canvas of [parts.base, parts.cross]) {
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
  }
  drawPanel(contextOf(parts.base), width, height, panel, bench);
  drawCross(contextOf(parts.cross), width, height, bench);
}

/**
 * Write the value under the cross-hair.
 *
 * @param {Panel} panel
 * @param {Bench} bench
 */
export function showReadout(panel, bench) {
  const { cross } = bench;
  const picture = panel.shown ?? bench.picture;
  if (!cross) {
    panel.parts.readout.textContent = panel === bench.panels[0] ? "Point at a picture to read its values" : "";
    panel.parts.legend.hidden = panel.kind === "radiograph";
    return;
  }
  panel.parts.legend.hidden = true; // the value takes its line
  const place = `x ${Math.floor(cross.x)}, y ${Math.floor(cross.y)}`;
  if (panel.kind === "radiograph") {
    const grey = picture.greys?.[Math.floor(cross.y) * picture.width + Math.floor(cross.x)];
    panel.parts.readout.textContent = grey === undefined ? place : `${place}: grey ${(grey / 255).toFixed(2)}`;
    return;
  }
  if (!panel.map) return;
  const value = valueAt(panel.map, cross.x, cross.y);
  const peak = bench.peaks[panel.id];
  const share = peak > 0 ? ` (${figure(Math.round((value / peak) * 100))} % of the scale)` : "";
  panel.parts.readout.textContent = Number.isNaN(value)
    ? `${place}: outside what the network saw`
    : `${place}: ${figure(value)}${share}`;
}
