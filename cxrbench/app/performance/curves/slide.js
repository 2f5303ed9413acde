// The component's entry: Streamlit calls it with new data; the slider moves points and counts, and tells no one.

import { find, findAll } from "../../widgets/dom.js";
import { notYetExplained } from "../../widgets/terms.js";
import { showCounts } from "./confusion.js";
import { across, drawCurves, drawScores, movePoints } from "./plot.js";

/** @import { Meanings, Terms } from "../../widgets/terms.js" */
/** @import { CellClick, FindingData, SystemData } from "./schema.js" */

/**
 * One place in the page with its curves.
 *
 * @typedef {object} Place
 * @property {HTMLElement} root
 * @property {FindingData & Meanings} data
 * @property {Terms} terms that the captions of the plots do not explain
 * @property {string} focus id of the system whose counts are shown
 * @property {number} at index of the step at which the slider stands
 * @property {{ roc: SVGElement, pr: SVGElement }} [points]
 * @property {SVGElement} [cut]
 */

/** @type {WeakMap<Element, Place>} */
const places = new WeakMap();
/** @type {Record<string, { threshold: number, rule: string | undefined }>} */
const remembered = {}; // by finding, rule and system: where the reader put the slider, and by which rule

/**
 * The index of the step that is nearest to a threshold; of two, the first.
 *
 * @param {Pick<FindingData, "steps">} data
 * @param {number} threshold
 * @returns {number}
 */
export function stepOf(data, threshold) {
  let best = 0;
  data.steps.forEach((step, index) => {
    if (Math.abs(step - threshold) < Math.abs(data.steps[best] - threshold)) best = index;
  });
  return best;
}

/**
 * @param {Place} here
 * @returns {string}
 */
const nameOf = (here) => `${here.data.finding} ${here.data.rule} ${here.focus}`;
/**
 * @param {Place} here
 * @returns {SystemData}
 */
const focused = (here) => here.data.systems.find((system) => system.id === here.focus) ?? here.data.systems[0];

/**
 * New data, or another system: draw what does not move.
 *
 * @param {Place} here
 */
function drawAll(here) {
  const { root, data } = here;
  here.terms = notYetExplained(data.terms);
  here.points = {
    roc: drawCurves(find(root, ".roc", HTMLElement), data, "roc", here.terms),
    pr: drawCurves(find(root, ".pr", HTMLElement), data, "pr", here.terms),
  };
  const system = focused(here);
  here.cut = drawScores(find(root, ".scores", HTMLElement), system, data);
  const select = find(root, '[data-do="focus"]', HTMLSelectElement);
  select.replaceChildren(...data.systems.map((one) => new Option(one.title, one.id, false, one.id === system.id)));
  const slider = find(root, '[data-do="threshold"]', HTMLInputElement);
  slider.max = String(data.steps.length - 1);
  slider.disabled = !system.graded;
  const marks = system.marks.map(({ rule, title, at, says }) => {
    const button = document.createElement("button");
    [button.type, button.textContent, button.title] = ["button", title, says];
    button.dataset.rule = rule;
    button.onclick = () => moveTo(here, stepOf(data, at), rule);
    return button;
  });
  find(root, ".marks", HTMLElement).replaceChildren(...marks);
  const kept = remembered[nameOf(here)] ?? { threshold: system.threshold, rule: data.rule };
  slideTo(here, stepOf(data, kept.threshold), kept.rule);
}

/**
 * Everything that follows the threshold; `rule` is the one that put it there, if any did.
 *
 * @param {Place} here
 * @param {number} at
 * @param {string} [rule]
 */
function slideTo(here, at, rule) {
  const { root, data } = here;
  const system = focused(here);
  here.at = Math.min(Math.max(at, 0), data.steps.length - 1);
  const threshold = data.steps[here.at];
  const words = system.graded ? String(Number(threshold.toPrecision(4))) : "votes, no threshold";
  const slider = find(root, '[data-do="threshold"]', HTMLInputElement);
  slider.value = String(here.at);
  slider.setAttribute("aria-valuetext", words);
  find(root, '[data-of="threshold"]', HTMLElement).textContent = words;
  for (const button of findAll(root, ".marks button", HTMLElement)) {
    // Several rules may choose one threshold: the one in force is marked, not all of them.
    button.setAttribute("aria-pressed", String(button.dataset.rule === rule));
  }
  if (here.points) {
    movePoints(here.points.roc, data, "roc", here.at, system.id);
    movePoints(here.points.pr, data, "pr", here.at, system.id);
  }
  for (const end of ["x1", "x2"]) here.cut?.setAttribute(end, String(across(threshold)));
  here.cut?.setAttribute("visibility", system.graded ? "visible" : "hidden");
  showCounts(root, system, data, here.at, new Map(here.terms));
}

/**
 * As `slideTo`, by the reader's own hand: kept when new data of this finding come.
 *
 * @param {Place} here
 * @param {number} at
 * @param {string} [rule]
 */
function moveTo(here, at, rule) {
  slideTo(here, at, rule);
  remembered[nameOf(here)] = { threshold: here.data.steps[here.at], rule };
}

/** @type {CellClick["kind"][]} */
const KINDS = ["hits", "alarms", "misses", "rejections"];

/**
 * @typedef {object} Component
 * @property {(FindingData & Meanings) | null} data
 * @property {ParentNode} parentElement
 * @property {(name: "cell", value: CellClick) => void} setTriggerValue
 */

/**
 * @param {Component} component
 * @returns {(() => void) | undefined} what Streamlit calls when the place is gone
 */
export default function curves({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".curves");
  if (!(root instanceof HTMLElement) || !data) return undefined;
  const here = places.get(root) ?? { root, data, terms: new Map(), focus: "", at: 0 };
  places.set(root, here);
  here.data = data;
  if (!data.systems.some((system) => system.id === here.focus)) here.focus = data.systems[0].id;
  const slider = find(root, '[data-do="threshold"]', HTMLInputElement);
  slider.oninput = () => moveTo(here, Number(slider.value));
  const select = find(root, '[data-do="focus"]', HTMLSelectElement);
  select.onchange = () => {
    here.focus = select.value;
    drawAll(here);
  };
  for (const kind of KINDS) {
    find(root, `[data-cell="${kind}"]`, HTMLButtonElement).onclick = () =>
      setTriggerValue("cell", {
        system: focused(here).id,
        kind,
        threshold: here.data.steps[here.at],
        finding: here.data.finding,
      });
  }
  drawAll(here);
  return () => void places.delete(root);
}
