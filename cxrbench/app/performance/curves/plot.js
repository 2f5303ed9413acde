// Plots as SVG: axes and curves are drawn once for new data, points and the cut move with the threshold.

import { withMeanings } from "../../widgets/terms.js";
import { countsAt } from "./confusion.js";

/** @import { Terms } from "../../widgets/terms.js" */
/** @import { FindingData, SystemData } from "./schema.js" */
/** @typedef {"roc" | "pr"} Kind */

export const SIDE = { left: 46, right: 12, top: 12, bottom: 44, width: 400, height: 380 };
const DASHES = ["", "7 4", "2 3", "10 3 2 3", "4 4", "12 4", "1 4", "6 2 1 2"];
const SHAPES = ["circle", "square", "triangle", "diamond", "cross", "down", "star", "bar"];

/**
 * A marker as an SVG path.
 *
 * @param {string} kind
 * @param {number} x
 * @param {number} y
 * @param {number} r
 * @returns {string}
 */
function shape(kind, x, y, r) {
  /** @type {(list: [number, number][]) => string} */
  const points = (list) => `M${list.map(([a, b]) => `${x + a * r} ${y + b * r}`).join("L")}Z`;
  /** @type {Record<string, () => string>} */
  const drawn = {
    circle: () => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`,
    square: () => points([[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]]),
    triangle: () => points([[0, -1.2], [1.1, 0.8], [-1.1, 0.8]]),
    down: () => points([[0, 1.2], [1.1, -0.8], [-1.1, -0.8]]),
    diamond: () => points([[0, -1.3], [1.1, 0], [0, 1.3], [-1.1, 0]]),
    cross: () => points([[-0.4, -1.2], [0.4, -1.2], [0.4, -0.4], [1.2, -0.4], [1.2, 0.4], [0.4, 0.4], [0.4, 1.2], [-0.4, 1.2], [-0.4, 0.4], [-1.2, 0.4], [-1.2, -0.4], [-0.4, -0.4]]),
    star: () => points([[0, -1.3], [0.35, -0.35], [1.3, 0], [0.35, 0.35], [0, 1.3], [-0.35, 0.35], [-1.3, 0], [-0.35, -0.35]]),
    bar: () => points([[-1.3, -0.45], [1.3, -0.45], [1.3, 0.45], [-1.3, 0.45]]),
  };
  return drawn[kind]();
}

/**
 * An SVG element.
 *
 * @param {string} tag
 * @param {Record<string, string | number>} attributes
 * @param {string} [text]
 * @returns {SVGElement}
 */
function node(tag, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
  if (text) made.textContent = text;
  return made;
}

/**
 * @param {number} value in [0, 1]
 * @returns {number}
 */
export const across = (value) => SIDE.left + value * (SIDE.width - SIDE.left - SIDE.right);
/**
 * @param {number} value in [0, 1]
 * @returns {number}
 */
export const up = (value) => SIDE.height - SIDE.bottom - value * (SIDE.height - SIDE.top - SIDE.bottom);
/**
 * @param {number} value
 * @returns {string}
 */
export const two = (value) => (Number.isFinite(value) ? value.toFixed(2).replace(/^0\./u, ".") : "–");

/**
 * A square of axes from 0 to 1 with its words.
 *
 * @param {Element} place
 * @param {{ x: string, y: string, title: (Node | string)[], label: string, height?: number }} words
 * @returns {SVGElement}
 */
function axes(place, { x, y, title, label, height = SIDE.height }) {
  const svg = node("svg", { viewBox: `0 0 ${SIDE.width} ${height}`, role: "img", "aria-label": label });
  const frame = node("g", { class: "axis" });
  for (const tick of [0, 0.25, 0.5, 0.75, 1]) {
    frame.append(node("line", { class: "grid", x1: across(tick), x2: across(tick), y1: up(0), y2: up(1) }));
    frame.append(node("line", { class: "grid", x1: across(0), x2: across(1), y1: up(tick), y2: up(tick) }));
    frame.append(node("text", { x: across(tick), y: up(0) + 17, "text-anchor": "middle" }, two(tick)));
    frame.append(node("text", { x: across(0) - 7, y: up(tick) + 4, "text-anchor": "end" }, two(tick)));
  }
  frame.append(node("text", { x: across(0.5), y: SIDE.height - 6, "text-anchor": "middle" }, x));
  frame.append(node("text", { transform: `translate(12 ${up(0.5)}) rotate(-90)`, "text-anchor": "middle" }, y));
  svg.append(frame);
  const heading = document.createElement("figcaption");
  heading.append(...title);
  place.replaceChildren(heading, svg);
  return svg;
}

/**
 * Straight lines between vertices, or, where between two thresholds nothing is known, steps.
 *
 * @param {(number | null)[]} xs
 * @param {(number | null)[]} ys
 * @param {boolean} steps
 * @returns {string}
 */
export function pathOf(xs, ys, steps) {
  let path = "";
  for (let i = 0; i < xs.length; i++) {
    const [x, y] = [xs[i], ys[i]];
    if (x === null || y === null) continue;
    const [left, top] = [across(x).toFixed(1), up(y).toFixed(1)];
    if (path) path += steps ? `V${top}H${left}` : `L${left} ${top}`;
    else path = `M${left} ${top}`;
  }
  return path;
}

/**
 * The area between two curves over the grid; nothing where it is undefined.
 *
 * @param {{ grid: number[], low: (number | null)[], high: (number | null)[] }} band
 * @returns {string}
 */
export function bandOf({ grid, low, high }) {
  if (low.length === 0 || [...low, ...high].includes(null)) return "";
  /** @type {(ys: (number | null)[]) => string[]} */
  const line = (ys) => grid.map((x, i) => `${across(x).toFixed(1)} ${up(ys[i] ?? NaN).toFixed(1)}`);
  return `M${[...line(high), ...line(low).toReversed()].join("L")}Z`;
}

/**
 * Which line and which marker is whose, with its figure; beside the plot, where it hides nothing.
 *
 * @param {FindingData} data
 * @param {Kind} kind
 * @returns {HTMLElement}
 */
function legendOf(data, kind) {
  const list = document.createElement("ul");
  list.className = "legend";
  data.systems.forEach((system, index) => {
    const key = node("svg", { viewBox: "0 0 32 14", "aria-hidden": "true" });
    if (system.graded) key.append(node("line", { x1: 0, x2: 32, y1: 7, y2: 7, stroke: system.colour, "stroke-width": 2.4, "stroke-dasharray": DASHES[index % DASHES.length] }));
    key.append(node("path", { d: shape(SHAPES[index % SHAPES.length], 16, 7, 5), fill: system.colour }));
    const item = document.createElement("li");
    const words = document.createElement("span");
    words.textContent = `${system.title} ${system[kind].words}`;
    item.append(key, words);
    list.append(item);
  });
  return list;
}

/**
 * ROC or precision–recall of all systems; returns the group in which their points move.
 *
 * @param {Element} place
 * @param {FindingData} data
 * @param {Kind} kind
 * @param {Terms} terms
 * @returns {SVGElement}
 */
export function drawCurves(place, data, kind, terms) {
  const roc = kind === "roc";
  const svg = axes(place, {
    x: roc ? "False-positive rate (1 − specificity)" : "Recall (sensitivity)",
    y: roc ? "Sensitivity" : "Precision",
    title: withMeanings(roc ? "ROC: area [95 % interval]" : "Precision–recall: average precision [95 % interval]", terms),
    label: `${roc ? "ROC" : "Precision–recall"} curves of ${data.finding}: ${data.systems.map((s) => `${s.title} ${s[kind].words}`).join("; ")}`,
  });
  const share = data.positives / Math.max(1, data.positives + data.negatives);
  const ends = roc ? [0, 0, 1, 1] : [0, share, 1, share];
  svg.append(node("line", { class: "chance", x1: across(ends[0]), y1: up(ends[1]), x2: across(ends[2]), y2: up(ends[3]) }));
  data.systems.forEach((system) => {
    if (system.graded) svg.append(node("path", { d: bandOf({ grid: data.grid, ...system[kind] }), fill: system.colour, "fill-opacity": data.systems.length > 3 ? 0.1 : 0.18 }));
  });
  data.systems.forEach((system, index) => {
    const dash = DASHES[index % DASHES.length];
    if (system.graded) svg.append(node("path", { d: pathOf(system[kind].x, system[kind].y, !roc), fill: "none", stroke: system.colour, "stroke-width": 2.4, "stroke-dasharray": dash, "stroke-linejoin": "round" }));
  });
  place.append(legendOf(data, kind));
  const points = node("g", {});
  svg.append(points);
  return points;
}

/**
 * Every system's operating point at this threshold; of those that vote, the one point they have.
 *
 * @param {SVGElement} points
 * @param {FindingData} data
 * @param {Kind} kind
 * @param {number} at index of the step
 * @param {string} focus id of the system whose counts are shown
 */
export function movePoints(points, data, kind, at, focus) {
  points.replaceChildren(
    ...data.systems.flatMap((system, index) => {
      const { hits, alarms } = countsAt(system, at);
      const sensitivity = hits / data.positives;
      const place = kind === "roc" ? [alarms / data.negatives, sensitivity] : [sensitivity, hits / (hits + alarms)];
      if (!place.every((value) => Number.isFinite(value))) return [];
      const own = system.id === focus;
      const drawn = shape(SHAPES[index % SHAPES.length], across(place[0]), up(place[1]), own ? 8 : 6);
      return [node("path", { class: own ? "point focus" : "point", d: drawn, fill: system.colour, "data-system": system.id })];
    }),
  );
}

/**
 * Scores of positives above the line, of negatives below it; returns the cut, which moves.
 *
 * @param {Element} place
 * @param {SystemData} system
 * @param {FindingData} data
 * @returns {SVGElement}
 */
export function drawScores(place, system, data) {
  const height = 190;
  const svg = node("svg", { viewBox: `0 0 ${SIDE.width} ${height}`, role: "img", "aria-label": `Scores that ${system.title} gives images with ${data.finding}, above, and without it, below.` });
  const middle = 92;
  const { present, absent } = system.scores;
  const scale = 70 / Math.max(1e-9, ...present, ...absent);
  const width = (across(1) - across(0)) / present.length;
  present.forEach((share, i) => svg.append(node("rect", { x: across(0) + i * width, width: width - 0.6, y: middle - share * scale, height: share * scale, fill: "#D55E00" })));
  absent.forEach((share, i) => svg.append(node("rect", { x: across(0) + i * width, width: width - 0.6, y: middle, height: share * scale, fill: "#56B4E9" })));
  const frame = node("g", { class: "axis" });
  frame.append(node("line", { class: "grid", x1: across(0), x2: across(1), y1: middle, y2: middle }));
  for (const tick of [0, 0.5, 1]) frame.append(node("text", { x: across(tick), y: height - 6, "text-anchor": "middle" }, two(tick)));
  frame.append(node("text", { class: "halo", x: across(1), y: 14, "text-anchor": "end" }, "▲ scores where it is present"));
  frame.append(node("text", { class: "halo", x: across(1), y: height - 22, "text-anchor": "end" }, "▼ where it is absent"));
  const cut = node("line", { class: "cut", y1: 8, y2: height - 20 });
  svg.append(frame, cut);
  place.replaceChildren(svg);
  return cut;
}
