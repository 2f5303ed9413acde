// Which questions were answered, and how: kept in this browser only.

/**
 * How a question was answered: rightly, wrongly, or looked up.
 *
 * @typedef {"right" | "wrong" | "seen"} Outcome
 */

/**
 * @typedef {object} Answer
 * @property {Outcome} outcome of the first try
 * @property {string} given the answer in words
 */

/** @typedef {Record<string, Record<string, Answer>>} Progress lesson → step, counted from 0 → answer */

const KEY = "cxrbench.lessons";

/**
 * @returns {Progress}
 */
export function readProgress() {
  try {
    const stored = JSON.parse(window.localStorage.getItem(KEY) ?? "{}");
    return stored && typeof stored === "object" ? stored : {};
  } catch {
    return {}; // storage may be switched off: then the lesson is played without
  }
}

/**
 * @param {string} lesson
 * @param {number} step
 * @returns {Answer | undefined}
 */
export const answerOf = (lesson, step) => readProgress()[lesson]?.[step];

/**
 * @param {string} lesson
 * @param {number} step
 * @param {Answer} answer
 */
export function keepAnswer(lesson, step, answer) {
  const progress = readProgress();
  progress[lesson] = { ...progress[lesson], [step]: answer };
  write(progress);
}

/**
 * @param {string} lesson
 */
export function forgetAnswers(lesson) {
  const progress = readProgress();
  delete progress[lesson];
  write(progress);
}

/**
 * @param {Progress} progress
 */
function write(progress) {
  try {
    window.localStorage.setItem(KEY, JSON.stringify(progress));
  } catch {
    // storage may be switched off or full: the lesson goes on without
  }
}
