// The component's entry: Streamlit calls it with new data; it keeps one bench for each place in the page.

import { contextOf, find } from "../../widgets/dom.js";
import { element } from "../../widgets/element.js";
import { notYetExplained, withMeanings } from "../../widgets/terms.js";
import { bytesOf, decodeMap } from "./field.js";
import { buildPanel, fillPanel, paintPanel, showPanel, showReadout } from "./panel.js";
import { fillToolbar, forgetSaid, listenToolbar, showToolbar } from "./toolbar.js";
import { firstView, peaksOf, settle, viewParameter } from "./view.js";

/** @import { Meanings, Terms } from "../../widgets/terms.js" */
/** @import { Panel } from "./panel.js" */
/** @import { PanelData, PictureData, SceneData } from "./schema.js" */
/** @import { View } from "./view.js" */

/** @typedef {"cross" | "draw" | "paint"} Redraw */

/**
 * The radiograph; its grey values and a canvas with it once it is decoded.
 *
 * @typedef {PictureData & {greys?: Uint8Array, element?: HTMLCanvasElement}} Picture
 */

/**
 * One place in the page with its panels.
 *
 * @typedef {object} Bench
 * @property {HTMLElement} root
 * @property {SceneData} data
 * @property {View} view
 * @property {{ x: number, y: number } | null} cross the cross-hair, in pixels of the radiograph
 * @property {Picture} picture
 * @property {Map<string, Picture>} pictures by their source: the radiograph and the others
 * @property {Panel[]} panels
 * @property {number} columns
 * @property {Record<string, Uint8Array>} tables of colours
 * @property {Record<string, number>} peaks by panel: the value at full colour
 * @property {ResizeObserver} watch
 * @property {boolean} [asked] whether the data that were taken over last asked for the view
 * @property {string} [link] what the sentence that is shown refers to
 * @property {(what: Redraw) => void} redraw draws this place again
 * @property {(what: Redraw) => void} refresh draws it again, and the others if the view changed
 */

/** @type {Map<Element, Bench>} those on the page; they are drawn with one view */
const benches = new Map();
/** @type {Redraw[]} */
const RANKS = ["cross", "draw", "paint"]; // each does all that those before it do

/**
 * @param {HTMLElement} root
 * @param {SceneData} data
 * @returns {Bench}
 */
function newBench(root, data) {
  let wanted = -1;
  /** @type {(what: Redraw) => void} */
  const redraw = (what) => {
    if (wanted < 0) {
      requestAnimationFrame(() => {
        const rank = wanted;
        wanted = -1;
        flush(bench, rank);
      });
    }
    wanted = Math.max(wanted, RANKS.indexOf(what));
  };
  /** @type {(what: Redraw) => void} */
  const refresh = (what) => {
    redraw(what);
    if (what === "cross") return;
    for (const other of benches.values()) if (other !== bench) other.redraw(what);
  };
  /** @type {Bench} */
  const bench = {
    root,
    data,
    view: firstView(data),
    cross: null,
    picture: { src: "", width: 1, height: 1 },
    pictures: new Map(),
    panels: [],
    columns: data.columns,
    tables: {},
    peaks: {},
    watch: new ResizeObserver(() => redraw("draw")),
    redraw,
    refresh,
  };
  bench.watch.observe(find(root, ".panels", HTMLElement));
  return bench;
}

/**
 * Do what was asked for since the last frame.
 *
 * @param {Bench} bench
 * @param {number} rank of the most that was asked for
 */
function flush(bench, rank) {
  const { panels, view } = bench;
  if (rank >= 2) {
    bench.peaks = peaksOf(panels, view.scale);
    for (const panel of panels) paintPanel(panel, bench);
  }
  if (rank >= 1) showToolbar(bench.root, bench);
  for (const panel of panels) {
    showPanel(panel, bench);
    showReadout(panel, bench);
  }
  bench.root.dataset.drawn = String(Number(bench.root.dataset.drawn ?? 0) + 1);
}

/**
 * Take over a radiograph and the other pictures.
 *
 * @param {Bench} bench
 * @param {PictureData} sent
 */
function takePicture(bench, sent) {
  if (bench.picture.src !== sent.src) bench.cross = null;
  /** @type {Map<string, Picture>} */
  const kept = new Map();
  for (const each of [sent, ...bench.data.others]) {
    kept.set(each.src, kept.get(each.src) ?? bench.pictures.get(each.src) ?? decoded(each, bench));
  }
  bench.pictures = kept;
  bench.picture = kept.get(sent.src) ?? bench.picture;
}

/**
 * A picture that draws its bench again once it is decoded.
 *
 * @param {PictureData} sent
 * @param {Bench} bench
 * @returns {Picture}
 */
function decoded({ src, width, height }, bench) {
  /** @type {Picture} */
  const picture = { src, width, height };
  const image = new Image();
  image.onload = () => {
    const copy = document.createElement("canvas");
    Object.assign(copy, { width, height });
    const context = contextOf(copy, { willReadFrequently: true });
    context.drawImage(image, 0, 0, width, height);
    const colours = context.getImageData(0, 0, width, height).data;
    picture.greys = Uint8Array.from({ length: width * height }, (_, index) => colours[4 * index]);
    picture.element = copy;
    bench.redraw("draw");
  };
  image.src = src;
  return picture;
}

/**
 * Take over the panels, keeping the elements of those that were there, so that focus and size stay.
 *
 * @param {Bench} bench
 * @param {PanelData[]} sent
 * @param {Terms} terms
 */
function takePanels(bench, sent, terms) {
  const old = Object.fromEntries(bench.panels.map((panel) => [panel.id, panel]));
  bench.panels = sent.map((panel) => ({
    ...panel,
    map: panel.map && decodeMap(panel.map),
    shown: panel.picture === null ? undefined : bench.pictures.get(bench.data.others[panel.picture].src),
    parts: old[panel.id]?.parts ?? buildPanel(bench),
  }));
  const place = find(bench.root, ".panels", HTMLElement);
  const figures = bench.panels.map((panel) => panel.parts.figure);
  const same = figures.length === place.children.length && figures.every((figure, i) => figure === place.children[i]);
  if (!same) place.replaceChildren(...figures);
  place.style.setProperty("--columns", String(bench.columns));
  place.classList.toggle("beside", bench.panels.some((panel) => panel.rows > 1));
  const lines = bench.data.shared.map((sentence) => element("li", "", ...withMeanings(sentence, terms)));
  find(bench.root, ".shared", HTMLElement).replaceChildren(...lines);
  for (const panel of bench.panels) fillPanel(panel, bench, terms);
}

/**
 * @typedef {object} Component
 * @property {(SceneData & Meanings) | null} data
 * @property {ParentNode} parentElement
 * @property {(name: "view", value: string) => void} setStateValue
 */

/**
 * @param {Component} component
 * @returns {(() => void) | undefined} what Streamlit calls when the place is gone
 */
export default function canvas({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".bench");
  if (!(root instanceof HTMLElement) || !data) return undefined;
  const bench = benches.get(root) ?? newBench(root, data);
  benches.set(root, bench);
  if (data.asked && !bench.asked) setStateValue("view", viewParameter(bench.view));
  bench.asked = data.asked;
  bench.data = data;
  bench.columns = data.columns;
  for (const [name, colour] of Object.entries(data.colours)) bench.tables[name] ??= bytesOf(colour.table);
  takePicture(bench, data.picture);
  takePanels(bench, data.panels, notYetExplained(data.terms));
  root.classList.toggle("follows", data.follows);
  root.classList.toggle("presenter", data.presenter);
  fillToolbar(root, bench);
  forgetSaid(root, bench);
  listenToolbar(root, bench);
  settle(bench.view);
  showToolbar(root, bench);
  bench.redraw("paint");
  return () => {
    bench.watch.disconnect();
    benches.delete(root);
  };
}
