// Plays one lesson: a step at a time, question before reveal, by mouse, touch or keyboard.

import { element } from "../../widgets/element.js";
import { notYetExplained, withMeanings } from "../../widgets/terms.js";
import { figure, paragraph, predictiveValues } from "./elements.js";
import { answerOf, forgetAnswers, keepAnswer } from "./progress.js";

/** @import { LessonData, PictureData, QuestionData, StepData } from "./schema.js" */
/** @import { Answer } from "./progress.js" */
/** @import { Terms } from "../../widgets/terms.js" */

/** @type {Record<Answer["outcome"], string>} */
const VERDICTS = { right: "Right.", wrong: "Not quite.", seen: "The answer:" };

/**
 * Show a lesson in a place of the page.
 *
 * @param {HTMLElement} root
 * @param {LessonData} lesson
 * @param {() => void} leave opens the list of lessons
 * @param {(step: number) => void} share shows the link to a step, counted from 1
 * @returns {() => void} takes the keys off again
 */
export function play(root, lesson, leave, share) {
  let at = stepOfAddress(lesson.steps.length);

  /** @param {number} step */
  function show(step) {
    at = Math.min(Math.max(step, 0), lesson.steps.length - 1);
    const parts = [head(lesson, at, go, { leave, share: () => share(at + 1) }), body(lesson, at, answered), foot(lesson, at, go, leave)];
    root.replaceChildren(...parts);
  }

  /** @param {number} step */
  function go(step) {
    show(step);
    writeAddress(at);
    root.querySelector("h3")?.focus({ preventScroll: true });
    root.scrollIntoView({ block: "start" });
  }

  function answered() {
    show(at);
    // The button that was pressed is gone: the keyboard goes on with what it brought.
    const made = root.querySelector(".reveal");
    if (made instanceof HTMLElement) made.focus({ preventScroll: true });
    made?.scrollIntoView({ block: "nearest" });
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    const target = event.composedPath()[0];
    const typing = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const option = root.querySelectorAll(".options button")[Number(event.key) - 1];
    if (event.key === "ArrowRight" && at < lesson.steps.length - 1) go(at + 1);
    else if (event.key === "ArrowLeft" && at > 0) go(at - 1);
    else if (option instanceof HTMLButtonElement) option.click();
    else return;
    event.preventDefault();
  }

  document.addEventListener("keydown", key);
  const back = () => show(stepOfAddress(lesson.steps.length));
  window.addEventListener("popstate", back);
  show(at);
  return () => {
    document.removeEventListener("keydown", key);
    window.removeEventListener("popstate", back);
  };
}

/**
 * The step that the address names, counted from 0.
 *
 * @param {number} steps
 * @returns {number}
 */
function stepOfAddress(steps) {
  const step = Number(new URLSearchParams(window.location.search).get("step") ?? 1);
  return Number.isInteger(step) && step >= 1 && step <= steps ? step - 1 : 0;
}

/**
 * @param {number} step counted from 0
 */
function writeAddress(step) {
  const address = new URL(window.location.href);
  address.searchParams.set("step", String(step + 1));
  window.history.replaceState(window.history.state, "", address);
}

/**
 * @param {string} text
 * @param {() => void} act
 * @param {string} [name] class
 * @returns {HTMLButtonElement}
 */
function button(text, act, name = "") {
  const made = element("button", name, text);
  made.type = "button";
  made.onclick = act;
  return made;
}

/**
 * @param {LessonData} lesson
 * @param {number} at
 * @param {(step: number) => void} go
 * @param {{ leave: () => void, share: () => void }} actions of the buttons beside the title
 * @returns {HTMLElement}
 */
function head(lesson, at, go, { leave, share }) {
  const dots = lesson.steps.map((step, index) => {
    const answer = answerOf(lesson.id, index);
    const dot = button(String(index + 1), () => go(index), `dot ${answer ? "done" : ""}`);
    dot.setAttribute("aria-label", `Step ${index + 1}: ${step.title}${answer ? ", answered" : ""}`);
    if (index === at) dot.setAttribute("aria-current", "step");
    return dot;
  });
  const steps = element("nav", "dots", ...dots);
  steps.setAttribute("aria-label", "Steps");
  const title = element("h2", "", lesson.title);
  const link = button("Share", share, "quiet share");
  link.setAttribute("aria-label", "Share: link and QR code of this step");
  return element("header", "", button("← All lessons", leave, "quiet"), title, steps, link);
}

/**
 * The pictures of a step. Where all wait for the answer, one looks at the film of the first map meanwhile.
 *
 * @param {StepData} step
 * @param {boolean} revealed
 * @returns {PictureData[]}
 */
function picturesOf(step, revealed) {
  const shown = step.pictures.filter((picture) => revealed || !picture.revealed);
  const map = step.pictures.find((picture) => picture.heat !== "");
  if (shown.length > 0 || !map) return shown;
  return [{ ...map, heat: "", caption: "The film", alternative: "The radiograph, before any map is shown." }];
}

/**
 * @param {LessonData} lesson
 * @param {number} at
 * @param {() => void} redraw
 * @returns {HTMLElement}
 */
function body(lesson, at, redraw) {
  const step = lesson.steps[at];
  const answer = answerOf(lesson.id, at);
  const revealed = !step.question || answer !== undefined;
  const title = element("h3");
  title.tabIndex = -1;
  const terms = notYetExplained(step.terms);
  const words = element("div", "words", title, ...step.text.map((text) => paragraph(text, terms)));
  const shown = picturesOf(step, revealed);
  const pictures = element("div", "pictures", ...shown.map((picture) => figure(picture, lesson.images, terms)));
  const below = element("div", "answer");
  if (step.question) {
    const asked = question(lesson, at, step.question, answer, redraw);
    asked.prepend(element("h4", "", ...withMeanings(step.question.ask, terms)));
    below.append(asked);
  }
  if (revealed) below.append(reveal(step, answer, terms));
  title.append(...withMeanings(step.title, terms)); // what no text below explains
  return element("article", shown.length > 0 ? "step" : "step plain", words, ...(shown.length > 0 ? [pictures] : []), below);
}

/**
 * @param {LessonData} lesson
 * @param {number} at
 * @param {QuestionData} asked
 * @param {Answer | undefined} answer
 * @param {() => void} redraw
 * @returns {HTMLElement}
 */
function question(lesson, at, asked, answer, redraw) {
  /**
   * @param {Answer["outcome"]} outcome
   * @param {string} given
   */
  const keep = (outcome, given) => {
    keepAnswer(lesson.id, at, { outcome, given });
    redraw();
  };
  const made = element("section", "question");
  made.append(asked.options.length > 0 ? choice(asked, answer, keep) : number(asked, answer, keep));
  if (!answer) made.append(button("Show me the answer", () => keep("seen", ""), "quiet"));
  return made;
}

/**
 * @param {QuestionData} asked
 * @param {Answer | undefined} answer
 * @param {(outcome: Answer["outcome"], given: string) => void} keep
 * @returns {HTMLElement}
 */
function choice(asked, answer, keep) {
  const options = asked.options.map((option, index) => {
    const made = button(option.text, () => keep(option.right ? "right" : "wrong", option.text));
    made.prepend(element("kbd", "", String(index + 1)));
    if (answer) {
      made.disabled = true;
      if (option.right) made.classList.add("right");
      else if (answer.given === option.text) made.classList.add("wrong");
      if (option.right) made.append(element("span", "mark", "✓ right"));
      else if (answer.given === option.text) made.append(element("span", "mark", "your answer"));
    }
    return element("li", "", made);
  });
  return element("ol", "options", ...options);
}

/**
 * @param {QuestionData} asked
 * @param {Answer | undefined} answer
 * @param {(outcome: Answer["outcome"], given: string) => void} keep
 * @returns {HTMLElement}
 */
function number(asked, answer, keep) {
  const input = element("input");
  [input.type, input.inputMode, input.value] = ["text", "decimal", answer?.given ?? ""];
  input.autocomplete = "off";
  input.disabled = answer !== undefined;
  input.setAttribute("aria-label", asked.unit ? `Your guess, in ${asked.unit}` : "Your guess");
  const hint = element("p", "hint");
  hint.setAttribute("role", "status");
  const made = element("form", "number", input, element("span", "", asked.unit));
  const submit = element("button", "", "Check");
  submit.type = "submit";
  submit.disabled = input.disabled;
  made.append(submit, hint);
  /** @param {SubmitEvent} event */
  made.onsubmit = (event) => {
    event.preventDefault();
    const text = input.value.trim().replace("−", "-").replace(",", ".").replace(/\s*%$/u, "");
    const guess = Number(text);
    if (text === "" || !Number.isFinite(guess)) {
      hint.textContent = "Type a number, for example 0.5.";
      return;
    }
    keep(Math.abs(guess - asked.value) <= asked.tolerance ? "right" : "wrong", input.value.trim());
  };
  return made;
}

/**
 * @param {StepData} step
 * @param {Answer | undefined} answer
 * @param {Terms} terms
 * @returns {HTMLElement}
 */
function reveal(step, answer, terms) {
  const made = element("section", "reveal");
  made.setAttribute("aria-label", "Answer");
  made.tabIndex = -1;
  if (step.question && answer) {
    const verdict = element("p", `verdict ${answer.outcome}`, element("strong", "", VERDICTS[answer.outcome]));
    const shown = step.question.options.length === 0 || answer.outcome === "seen";
    if (shown) verdict.append(` ${step.question.options.length === 0 ? `It is ${step.question.shown}` : step.question.shown}.`);
    made.append(verdict);
  }
  made.append(...step.reveal.map((text) => paragraph(text, terms)));
  if (step.slider) made.append(predictiveValues(step.slider));
  if (step.bench) {
    const link = element("a", "bench", `Open on ${step.page}`);
    [link.href, link.target, link.rel] = [step.bench, "_blank", "noopener"];
    made.append(element("p", "", link));
  }
  return made;
}

/**
 * @param {LessonData} lesson
 * @param {number} at
 * @param {(step: number) => void} go
 * @param {() => void} leave
 * @returns {HTMLElement}
 */
function foot(lesson, at, go, leave) {
  const last = at === lesson.steps.length - 1;
  const back = button("← Back", () => go(at - 1));
  back.disabled = at === 0;
  const next = last ? button("All lessons", leave, "next") : button("Next →", () => go(at + 1), "next");
  const again = button("Start again", () => {
    forgetAnswers(lesson.id);
    go(0);
  }, "quiet");
  const keys = element("span", "hint", "Keys: ← → steps, 1–9 answers");
  return element("footer", "", back, next, ...(last ? [again] : []), keys);
}
