// The figures of a reader's answers: as cxrbench.teaching.quiz.figures, which a test compares.

/** @import { FigureData } from "./schema.js" */
/** @import { Mark, Overlap } from "./regions.js" */

/**
 * One answer to "is the finding present?".
 *
 * @typedef {object} Reading
 * @property {boolean} present
 * @property {number} confidence in [0.5, 1]
 * @property {number} seconds
 */

/**
 * A reader's answers to one film.
 *
 * @typedef {object} Answer
 * @property {string} film
 * @property {boolean} present the truth
 * @property {Reading} alone
 * @property {boolean | null} ai_present null in the retest
 * @property {boolean} inverted
 * @property {Reading | null} with_ai null in the retest
 * @property {Mark | null} mark
 * @property {number | null} distance
 * @property {Overlap} overlap
 */

/** @typedef {{ value: number, films: number }} FigureValue NaN where it is not defined */

/**
 * @param {(number | boolean)[]} values
 * @returns {FigureValue}
 */
const mean = (values) => ({
  value: values.length > 0 ? values.reduce((/** @type {number} */ sum, value) => sum + Number(value), 0) / values.length : NaN,
  films: values.length,
});

/**
 * Share of the films that pass a test.
 *
 * @param {Answer[]} answers
 * @param {(each: Answer) => boolean} test
 * @returns {FigureValue}
 */
const share = (answers, test) => mean(answers.map((each) => test(each)));

/**
 * @param {(number | null)[]} values
 * @returns {FigureValue}
 */
function median(values) {
  const known = values.filter((value) => value !== null).toSorted((a, b) => a - b);
  const middle = known.length / 2;
  const value = known.length % 2 ? known[Math.floor(middle)] : (known[middle - 1] + known[middle]) / 2;
  return { value: known.length > 0 ? value : NaN, films: known.length };
}

/**
 * @param {Answer} each
 * @returns {boolean}
 */
export const rightAlone = (each) => each.alone.present === each.present;
/**
 * @param {Answer} each
 * @returns {Reading}
 */
const first = (each) => each.alone;
/**
 * @param {Answer} each
 * @returns {Reading}
 */
const last = (each) => each.with_ai ?? each.alone;
/**
 * @param {Answer} each
 * @returns {boolean}
 */
export const rightWithAi = (each) => last(each).present === each.present;
/**
 * @param {Answer} each
 * @returns {boolean}
 */
export const aiRight = (each) => each.ai_present === each.present;

/**
 * @param {Answer[]} answers
 * @param {boolean} rightBefore
 * @returns {FigureValue}
 */
const switched = (answers, rightBefore) =>
  mean(answers.filter((each) => rightAlone(each) === rightBefore).map((each) => rightWithAi(each) !== rightBefore));

/**
 * Share of wrong last answers where reader and AI disagreed at first.
 *
 * @param {Answer[]} answers
 * @param {boolean} right whether the AI is
 * @returns {FigureValue}
 */
const misplaced = (answers, right) =>
  mean(answers.filter((each) => aiRight(each) === right && rightAlone(each) !== right).map((each) => !rightWithAi(each)));

/**
 * @param {Answer[]} answers
 * @param {(each: Answer) => Reading} reading
 * @returns {number[]} confidence minus being right (1 or 0), per film
 */
const surplus = (answers, reading) =>
  answers.map((each) => reading(each).confidence - Number(reading(each).present === each.present));

/**
 * All figures by key.
 *
 * @param {Answer[]} answers of the quiz
 * @param {Answer[]} retest
 * @returns {Record<FigureData["key"], FigureValue>}
 */
export function quizFigures(answers, retest) {
  const both = answers.filter((each) => each.with_ai);
  const [right, wrong] = [both.filter((each) => aiRight(each)), both.filter((each) => !aiRight(each))];
  const inside = answers.filter((each) => each.distance !== null).map((each) => each.distance === 0);
  const [before, after] = [share(answers, rightAlone), share(retest, rightAlone)];
  return {
    accuracy_alone: before,
    accuracy_with_ai: share(both, rightWithAi),
    accuracy_ai: share(both, aiRight),
    alone_where_ai_right: share(right, rightAlone),
    with_right_ai: share(right, rightWithAi),
    alone_where_ai_wrong: share(wrong, rightAlone),
    with_wrong_ai: share(wrong, rightWithAi),
    switched_to_right: switched(both, false),
    switched_to_wrong: switched(both, true),
    over_reliance: misplaced(both, false),
    under_reliance: misplaced(both, true),
    mark_inside: mean(inside),
    mark_distance: median(answers.map((each) => each.distance)),
    mark_iou: median(answers.map((each) => each.overlap.iou)),
    overconfidence_alone: mean(surplus(answers, first)),
    overconfidence_with_ai: mean(surplus(both, last)),
    brier_alone: mean(surplus(answers, first).map((value) => value ** 2)),
    brier_with_ai: mean(surplus(both, last).map((value) => value ** 2)),
    seconds_alone: median(answers.map((each) => each.alone.seconds)),
    seconds_with_ai: median(both.map((each) => last(each).seconds)),
    accuracy_retest: after,
    gain: { value: after.value - before.value, films: Math.min(after.films, before.films) },
  };
}

/**
 * A value in its unit; "–" where it is not defined.
 *
 * @param {number} value
 * @param {FigureData["unit"]} unit
 * @returns {string}
 */
export function inWords(value, unit) {
  if (!Number.isFinite(value)) return "–";
  const texts = {
    share: () => `${(100 * value).toFixed(0)} %`,
    difference: () => `${value < -0.005 ? "−" : "+"}${Math.abs(100 * value).toFixed(0)} points`,
    number: () => value.toFixed(2),
    seconds: () => `${value.toFixed(1)} s`,
  };
  return texts[unit]();
}
