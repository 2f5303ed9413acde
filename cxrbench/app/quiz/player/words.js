// What the player says of the AI's answer and of the truth.

import { withMeanings } from "../../widgets/terms.js";
import { aiRight, rightAlone, rightWithAi } from "./figures.js";
import { patternOf } from "./regions.js";
import { called, element } from "./results.js";

/** @import { Terms } from "../../widgets/terms.js" */
/** @import { FilmData, QuizData } from "./schema.js" */
/** @import { Answer } from "./figures.js" */

/**
 * The AI's answer. What its map is comes with the truth: readers may find out by themselves.
 *
 * @param {FilmData} film
 * @param {boolean} ready whether its map has come
 * @param {Terms} terms
 * @returns {HTMLElement[]}
 */
export function aiText(film, ready, terms) {
  const { ai } = film;
  if (!ai || !ready) return [element("p", { role: "status" }, "The AI's map is being computed …")];
  const where = ai.map ? "A map does not say that the score is right." : `There is no map: ${ai.note}.`;
  return [
    element("p", {}, "The AI says: ", element("b", {}, called(ai.present)), "."),
    scoreBar(ai.score, ai.threshold, terms),
    small(where, terms),
  ];
}

/**
 * The score on a line from 0 to 1, with the threshold.
 *
 * @param {number} score
 * @param {number} threshold
 * @param {Terms} terms
 * @returns {HTMLElement}
 */
function scoreBar(score, threshold, terms) {
  const text = `Score ${score.toFixed(2)}; from ${threshold.toFixed(2)} on the AI says “present”.`;
  const fill = element("span", { class: "fill", style: `width: ${100 * score}%` });
  const bound = element("span", { class: "bound", style: `left: ${100 * threshold}%` });
  return element("div", {}, element("div", { class: "score", "aria-hidden": "true" }, fill, bound), small(text, terms));
}

/**
 * A line in small letters.
 *
 * @param {string} text
 * @param {Terms} terms
 * @returns {HTMLElement}
 */
const small = (text, terms) => element("p", { class: "small" }, ...withMeanings(text, terms));

/**
 * A line of the debriefing: who said what, and whether it is right.
 *
 * @param {string} who
 * @param {boolean} present
 * @param {boolean} right
 * @param {string} more
 * @returns {HTMLElement}
 */
const verdict = (who, present, right, more) =>
  element("li", { class: right ? "right" : "wrong" }, `${who}: ${called(present)} `, element("b", {}, right ? "✓ right" : "✗ wrong"), more);

/**
 * The truth of a film, with what reader and AI said.
 *
 * @param {FilmData} film
 * @param {Answer} answer
 * @param {QuizData} data
 * @param {Terms} terms
 * @returns {HTMLElement[]}
 */
export function truthParts(film, answer, data, terms) {
  const last = answer.with_ai ?? answer.alone;
  const why = answer.inverted
    ? `. On this film its answer was inverted on purpose: ${data.model} itself says ${called(!answer.ai_present)}`
    : aiRight(answer)
      ? ""
      : `. ${data.model} really errs on this film`;
  return [
    element("p", {}, "Truth: ", element("b", {}, called(film.present)), ...withMeanings(severityText(film), terms)),
    element(
      "ul",
      { class: "verdicts" },
      verdict("You alone", answer.alone.present, rightAlone(answer), `, ${Math.round(100 * answer.alone.confidence)} % sure.`),
      verdict("The AI", Boolean(answer.ai_present), aiRight(answer), `${why}.`),
      verdict("You with the AI", last.present, rightWithAi(answer), `, ${Math.round(100 * last.confidence)} % sure.`),
    ),
    small(film.ai?.map ? `The map is by ${data.method}: ${data.about_method}.` : "", terms),
    ...markParts(answer, data, terms),
    element("p", { class: "small" }, element("a", { href: film.link, target: "_blank", rel: "noopener" }, "Open this film on Compare")),
  ];
}

/**
 * @param {FilmData} film
 * @returns {string}
 */
function severityText(film) {
  if (!film.present) return ".";
  const severity = film.severity === null ? "" : `, severity ${film.severity.toFixed(2)} of 1`;
  return film.lesion ? `${severity}.` : `${severity}, but not visible on this film: hidden by another finding.`;
}

/**
 * What is said of the mark, if there is one.
 *
 * @param {Answer} answer
 * @param {QuizData} data
 * @param {Terms} terms
 * @returns {HTMLElement[]}
 */
function markParts(answer, data, terms) {
  const parts = [];
  if (answer.distance !== null) {
    const where = answer.distance === 0 ? "in the lesion" : `${answer.distance.toFixed(2)} of the film's height from the lesion`;
    parts.push(`Your mark is ${where}.`);
  }
  const pattern = patternOf(answer.overlap, aiRight(answer), data.patterns);
  if (pattern) parts.push(`${pattern.title}: ${pattern.meaning} Overlap of mark and map (IoU): ${(answer.overlap.iou ?? NaN).toFixed(2)}.`);
  return parts.map((text) => small(text, terms));
}
