// The confusion matrix at a threshold, derived metrics, and the click that lists its images.

import { find } from "../../widgets/dom.js";
import { withMeanings } from "../../widgets/terms.js";

/** @import { Terms } from "../../widgets/terms.js" */
/** @import { CellClick, CountsData, FindingData, SystemData } from "./schema.js" */
/** @typedef {Record<CellClick["kind"], number>} Confusion */

/** @type {Record<CellClick["kind"], [side: string, name: string, words: string]>} */
const CELLS = {
  hits: ["right", "true positives", "TP: present, predicted present"],
  misses: ["wrong", "false negatives", "FN: present, predicted absent"],
  alarms: ["wrong", "false positives", "FP: absent, predicted present"],
  rejections: ["right", "true negatives", "TN: absent, predicted absent"],
};

/**
 * What a system calls at the step of the slider; a vote has no threshold of its own.
 *
 * @param {SystemData} system
 * @param {number} at index of the step
 * @returns {CountsData}
 */
export function countsAt(system, at) {
  return system.graded ? { hits: system.hits[at], alarms: system.alarms[at] } : system.fixed;
}

/**
 * All four counts.
 *
 * @param {SystemData} system
 * @param {Pick<FindingData, "positives" | "negatives">} data
 * @param {number} at
 * @returns {Confusion}
 */
export function allCounts(system, data, at) {
  const { hits, alarms } = countsAt(system, at);
  return { hits, alarms, misses: data.positives - hits, rejections: data.negatives - alarms };
}

/**
 * Undefined stays NaN: nothing is divided by nothing.
 *
 * @param {number} part
 * @param {number} whole
 * @returns {number}
 */
const share = (part, whole) => (whole > 0 ? part / whole : NaN);

/**
 * What follows from the four counts.
 *
 * @param {Confusion} counts
 * @returns {[name: string, value: number, words: string][]}
 */
export function rates({ hits, alarms, misses, rejections }) {
  const [sensitivity, specificity] = [share(hits, hits + misses), share(rejections, rejections + alarms)];
  return [
    ["Sensitivity", sensitivity, "TP ÷ (TP + FN)"],
    ["Specificity", specificity, "TN ÷ (TN + FP)"],
    ["Precision", share(hits, hits + alarms), "TP ÷ (TP + FP)"],
    ["F1", share(2 * hits, 2 * hits + alarms + misses), "of the positive class"],
    ["Balanced acc.", (sensitivity + specificity) / 2, "mean of sensitivity and specificity"],
    ["Accuracy", share(hits + rejections, hits + alarms + misses + rejections), "(TP + TN) ÷ all; high for every rare finding"],
  ];
}

/**
 * @param {ParentNode} root
 * @param {SystemData} system
 * @param {FindingData} data
 * @param {number} at
 * @param {Terms} terms
 */
export function showCounts(root, system, data, at, terms) {
  const counts = allCounts(system, data, at);
  find(root, ".confusion caption", HTMLElement).textContent = `${data.finding}, ${system.title}`;
  find(root, '[data-of="positives"]', HTMLElement).textContent = `present (${data.positives.toLocaleString("en")})`;
  find(root, '[data-of="negatives"]', HTMLElement).textContent = `absent (${data.negatives.toLocaleString("en")})`;
  const numbers = new Map(Object.entries(counts));
  for (const [kind, [side, name, words]] of Object.entries(CELLS)) {
    const button = find(root, `[data-cell="${kind}"]`, HTMLButtonElement);
    const count = (numbers.get(kind) ?? NaN).toLocaleString("en");
    const figure = document.createElement("b");
    figure.textContent = count;
    button.replaceChildren(figure, " ", name);
    button.className = side;
    button.title = `${words}; click to list the images`;
    button.setAttribute("aria-label", `${count} ${name}: show the cases`);
  }
  find(root, ".rates", HTMLElement).replaceChildren(
    ...rates(counts).map(([name, value, words]) => {
      const row = document.createElement("div");
      const [title, figure] = [document.createElement("dt"), document.createElement("dd")];
      title.append(...withMeanings(name, terms));
      [figure.textContent, row.title] = [Number.isFinite(value) ? value.toFixed(3) : "–", words];
      row.append(title, figure);
      return row;
    }),
  );
}
