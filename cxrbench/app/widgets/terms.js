// Terms of the glossary in the texts of a component: each opens its meaning where it appears first.

/**
 * What Python sends beside the data of a component, as `terms.meanings` returns it.
 *
 * @typedef {object} Meanings
 * @property {Record<string, string>} terms in lower case, as written → meaning; "" where a text explains it already
 */

/** @typedef {Map<string, string>} Terms those of `Meanings`; a term loses its meaning where it is explained */

/**
 * @param {Record<string, string>} terms
 * @returns {Terms}
 */
export const notYetExplained = (terms) => new Map(Object.entries(terms));

/**
 * A text in which each term that is not explained yet is a button with its meaning. No text becomes markup.
 *
 * @param {string} text
 * @param {Terms} terms what is explained here loses its meaning
 * @returns {(Node | string)[]}
 */
export function withMeanings(text, terms) {
  const forms = [...terms.keys()].toSorted((one, other) => other.length - one.length);
  if (forms.length === 0) return [text];
  const literal = forms.map((form) => form.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`)).join("|");
  /** @type {(Node | string)[]} */
  const parts = [];
  /** @type {Node[]} */
  const meanings = []; // behind the text, hidden, so that what one searches in it is found
  let end = 0;
  for (const found of text.matchAll(new RegExp(String.raw`(?<![\p{L}\p{N}_-])(?:${literal})(?![\p{L}\p{N}_-])`, "giu"))) {
    const meaning = terms.get(found[0].toLowerCase());
    if (!meaning) continue;
    const { word, opened } = term(found[0], meaning);
    parts.push(text.slice(end, found.index), word);
    meanings.push(opened);
    for (const [form, other] of terms) if (other === meaning) terms.set(form, "");
    end = found.index + found[0].length;
  }
  return [...parts, text.slice(end), ...meanings];
}

/**
 * A word, and its meaning, which it opens.
 *
 * @param {string} written
 * @param {string} meaning
 * @returns {{ word: Node, opened: Node }}
 */
function term(written, meaning) {
  const [word, opened] = [document.createElement("button"), document.createElement("span")];
  [word.type, word.className, word.textContent, word.title] = ["button", "term", written, meaning];
  [opened.className, opened.textContent, opened.popover] = ["meaning", meaning, "auto"];
  word.popoverTargetElement = opened;
  return { word, opened };
}
