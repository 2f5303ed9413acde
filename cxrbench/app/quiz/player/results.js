// The results of a quiz: figures with their explanation, patterns, the films one by one, and what can be done next.

import { withMeanings } from "../../widgets/terms.js";
import { aiRight, inWords, quizFigures, rightAlone, rightWithAi } from "./figures.js";
import { patternOf } from "./regions.js";

/** @import { Terms } from "../../widgets/terms.js" */
/** @import { FigureData, FilmData, QuizData } from "./schema.js" */
/** @import { Answer, FigureValue } from "./figures.js" */
/** @import { Session } from "./session.js" */

/**
 * An element with its children.
 *
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Record<string, string>} attributes
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/**
 * @param {FigureData} figure
 * @param {FigureValue} found
 * @returns {HTMLElement}
 */
const figureRow = (figure, found) =>
  element(
    "tr",
    { "data-figure": figure.key },
    element("th", { scope: "row" }, figure.title),
    element("td", { class: "value" }, inWords(found.value, figure.unit)),
    Number.isFinite(found.value)
      ? element("td", { class: "films" }, String(found.films))
      : element("td", { class: "films none" }, "no such film"),
    element("td", { class: "says" }, figure.meaning),
  );

/**
 * All figures in groups; those of the retest only after it.
 *
 * @param {QuizData} data
 * @param {Session} session
 * @returns {HTMLElement}
 */
function figureTable(data, session) {
  const found = quizFigures(session.answers, session.retest);
  const known = data.figures.filter((figure) => session.retest.length > 0 || !figure.group.startsWith("Retest"));
  const groups = [...new Set(known.map((figure) => figure.group))];
  const bodies = groups.map((group) =>
    element(
      "tbody",
      {},
      element("tr", { class: "group" }, element("th", { colspan: "4", scope: "rowgroup" }, group)),
      ...known.filter((figure) => figure.group === group).map((figure) => figureRow(figure, found[figure.key])),
    ),
  );
  const heads = ["Figure", "Value", "Films", "What it says"].map((text) => element("th", { scope: "col" }, text));
  return element("table", { class: "figures" }, element("thead", {}, element("tr", {}, ...heads)), ...bodies);
}

/**
 * Patterns of mark and map that occurred, the most frequent first.
 *
 * @param {QuizData} data
 * @param {Answer[]} answers
 * @param {Terms} terms
 * @returns {HTMLElement}
 */
function patternList(data, answers, terms) {
  /** @type {Map<string, { meaning: string, films: number }>} */
  const counts = new Map();
  for (const each of answers) {
    const pattern = patternOf(each.overlap, aiRight(each), data.patterns);
    if (!pattern) continue;
    const before = counts.get(pattern.title)?.films ?? 0;
    counts.set(pattern.title, { meaning: pattern.meaning, films: before + 1 });
  }
  const rows = [...counts].toSorted(([, a], [, b]) => b.films - a.films);
  if (rows.length === 0) return element("p", {}, "No film had both a mark of yours and a map.");
  return element(
    "ul",
    { class: "patterns" },
    ...rows.map(([title, { meaning, films }]) => element("li", {}, element("b", {}, `${films} × ${title}.`), ...withMeanings(` ${meaning}`, terms))),
  );
}

/** @type {(right: boolean) => string} */
const sign = (right) => (right ? "✓" : "✗");
/** @type {(present: boolean) => string} */
export const called = (present) => (present ? "present" : "absent");

/**
 * The films one by one.
 *
 * @param {QuizData} data
 * @param {Answer[]} answers
 * @returns {HTMLElement}
 */
function filmTable(data, answers) {
  /** @type {Map<string, FilmData>} */
  const films = new Map(data.items.map((item) => [item.film, item]));
  const rows = answers.map((each, place) => {
    const link = films.get(each.film)?.link;
    const number = String(place + 1);
    const ai = `${called(Boolean(each.ai_present))} ${sign(aiRight(each))}${each.inverted ? " (inverted)" : ""}`;
    const last = (each.with_ai ?? each.alone).present;
    return element(
      "tr",
      {},
      element("th", { scope: "row" }, link ? element("a", { href: link, target: "_blank", rel: "noopener" }, `Film ${number}`) : `Film ${number}`),
      element("td", {}, called(each.present)),
      element("td", {}, `${called(each.alone.present)} ${sign(rightAlone(each))}`),
      element("td", {}, ai),
      element("td", {}, `${called(last)} ${sign(rightWithAi(each))}`),
    );
  });
  const heads = ["Film", "Truth", "You alone", "The AI", "You with the AI"].map((text) => element("th", { scope: "col" }, text));
  return element("table", { class: "list" }, element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...rows));
}

/**
 * @param {string} text
 * @param {string} action
 * @param {string} [kind]
 * @returns {HTMLElement}
 */
const button = (text, action, kind = "") => element("button", { type: "button", "data-do": action, class: kind }, text);

/**
 * All of the results; its buttons have ``data-do``: retest, table, again, forget.
 *
 * @param {QuizData} data
 * @param {Session} session
 * @param {Terms} terms
 * @returns {HTMLElement[]}
 */
export function resultParts(data, session, terms) {
  const { answers, retest } = session;
  const inverted = answers.filter((each) => each.inverted).length;
  const wrong = answers.filter((each) => !aiRight(each)).length;
  const debriefing =
    `The AI was wrong on ${wrong} of ${answers.length} films, which the set-up of this quiz decided. ` +
    (inverted > 0
      ? `On ${inverted} of all films its answer was inverted on purpose; every other answer is that of ${data.model}.`
      : `Every answer is really that of ${data.model}: the films were chosen for it.`);
  const toRetest = retest.length === 0 && data.retest_films > 0;
  return [
    element("h2", { tabindex: "-1" }, retest.length > 0 ? "Your results, with the retest" : "Your results"),
    element("p", {}, debriefing),
    element(
      "div",
      { class: "go" },
      ...(toRetest ? [button(`Retest without AI: ${data.retest_films} new films`, "retest", "primary")] : []),
      button("Save answers (CSV)", "table"),
      button("Start again", "again"),
    ),
    element("p", { class: "said", role: "status" }),
    figureTable(data, session),
    element("h3", {}, "Your marks and the AI's maps"),
    element("p", {}, "Patterns of Shared Interest: where the map is in relation to your mark, and whether the AI is right."),
    patternList(data, answers, terms),
    element("h3", {}, "Film by film"),
    element("p", {}, "Each opens on Compare, in a new tab."),
    filmTable(data, answers),
  ];
}
