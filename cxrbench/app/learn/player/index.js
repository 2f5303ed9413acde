// The component's entry: Streamlit calls it with the list of lessons, or with one lesson, which is played in the
// browser alone. The address names the step, so that it can be shared; progress stays in this browser.

import { element } from "../../widgets/element.js";
import { notYetExplained, withMeanings } from "../../widgets/terms.js";
import { readProgress } from "./progress.js";
import { play } from "./play.js";

/** @import { Terms } from "../../widgets/terms.js" */
/** @import { EntryData, LearnData, OpenData } from "./schema.js" */

/**
 * @typedef {object} Component
 * @property {LearnData | null} data
 * @property {ParentNode} parentElement
 * @property {(name: "open", value: OpenData) => void} setTriggerValue
 */

/**
 * @param {Component} component
 * @returns {(() => void) | undefined} what Streamlit calls when the place is gone
 */
export default function learn({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".learn");
  if (!(root instanceof HTMLElement) || !data) return undefined;
  /** @param {string} id */
  const open = (id) => {
    setTriggerValue("open", { id, kind: "open", step: 1 });
  };
  const { lesson } = data;
  if (lesson) {
    /** @param {number} step */
    const share = (step) => {
      setTriggerValue("open", { id: lesson.id, kind: "share", step });
    };
    return play(root, lesson, () => open(""), share);
  }
  root.replaceChildren(list(data.lessons, notYetExplained(data.terms), open));
  return undefined;
}

/**
 * @param {EntryData[]} lessons
 * @param {Terms} terms
 * @param {(id: string) => void} open
 * @returns {HTMLElement}
 */
function list(lessons, terms, open) {
  const progress = readProgress();
  const entries = lessons.map((lesson, index) => {
    const answered = Object.keys(progress[lesson.id] ?? {}).length;
    const button = element("button", "open", `${index + 1}. ${lesson.title}`);
    button.type = "button";
    button.disabled = lesson.problem !== "";
    button.onclick = () => open(lesson.id);
    const state = lesson.problem || (answered ? `${answered} of ${lesson.questions} answered` : `${lesson.steps} steps`);
    const done = answered > 0 && answered >= lesson.questions;
    const note = element("p", done ? "state done" : "state", done ? `✓ ${state}` : state);
    return element("li", "", element("h2", "", button), element("p", "purpose", ...withMeanings(lesson.purpose, terms)), note);
  });
  return element("ol", "lessons", ...entries);
}
