// Elements of a step: text with emphasis, pictures, and the slider of predictive values.

import { element } from "../../widgets/element.js";
import { labelOutlines } from "../../widgets/outline_labels.js";
import { withMeanings } from "../../widgets/terms.js";

/** @import { Terms } from "../../widgets/terms.js" */
/** @import { PictureData, SliderData } from "./schema.js" */
/** @import { Point } from "../../widgets/outline_labels.js" */

/**
 * A paragraph; `**bold**` and `*emphasis*` are the only marks. No text becomes markup.
 *
 * @param {string} text
 * @param {Terms} terms each of which carries its meaning where it appears first
 * @returns {HTMLParagraphElement}
 */
export function paragraph(text, terms) {
  const parts = text.split(/(\*\*[^*]+\*\*|\*[^*]+\*)/u).flatMap((part) => {
    if (part.startsWith("**") && part.length > 4) return [element("strong", "", ...withMeanings(part.slice(2, -2), terms))];
    if (part.startsWith("*") && part.length > 2) return [element("em", "", ...withMeanings(part.slice(1, -1), terms))];
    return withMeanings(part, terms);
  });
  return element("p", "", ...parts);
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * A picture, which a click or a key makes larger and small again.
 *
 * @param {PictureData} picture
 * @param {Record<string, string>} images
 * @param {Terms} terms
 * @returns {HTMLElement}
 */
export function figure(picture, images, terms) {
  const film = element("img");
  [film.src, film.alt] = [images[picture.film], picture.alternative];
  const stack = element("button", "stack", film);
  [stack.type, stack.title] = ["button", "Larger or smaller"];
  stack.setAttribute("aria-pressed", "false");
  stack.style.aspectRatio = `${picture.width} / ${picture.height}`;
  if (picture.heat) {
    const heat = element("img", "heat");
    [heat.src, heat.alt] = [images[picture.heat], ""];
    stack.append(heat);
  }
  if (picture.outline.length > 0) {
    stack.append(outline(picture));
    labelOutlines(stack, [{ text: picture.outlined, polygons: picture.outline.map((numbers) => polygonOf(numbers, picture)) }]);
  }
  const made = element("figure", "", stack);
  stack.onclick = () => stack.setAttribute("aria-pressed", String(made.classList.toggle("large")));
  const colours = picture.heat && picture.colours ? [picture.colours] : [];
  const words = [
    ...paragraph(picture.caption, terms).childNodes,
    ...colours.map((text) => element("span", "colours", ...withMeanings(text, terms))),
  ];
  if (words.length > 0) made.append(element("figcaption", "", ...words));
  return made;
}

/**
 * @param {number[]} numbers x and y in turn, in pixels
 * @param {{ width: number, height: number }} picture
 * @returns {Point[]} in fractions of the picture's sides
 */
const polygonOf = (numbers, { width, height }) =>
  numbers.flatMap((x, index) => (index % 2 ? [] : [/** @type {Point} */ ([x / width, numbers[index + 1] / height])]));

/**
 * @param {PictureData} picture
 * @returns {SVGElement}
 */
function outline(picture) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", `0 0 ${picture.width} ${picture.height}`);
  drawing.setAttribute("aria-hidden", "true");
  for (const name of ["halo", "line"]) {
    for (const points of picture.outline) {
      const polygon = document.createElementNS(SVG, "polygon");
      polygon.setAttribute("points", points.join(" "));
      polygon.setAttribute("class", name);
      drawing.append(polygon);
    }
  }
  return drawing;
}

/**
 * A slider for the prevalence; of 1000 films it says how many calls are right.
 *
 * @param {SliderData} data
 * @returns {HTMLElement}
 */
export function predictiveValues(data) {
  const input = element("input");
  [input.type, input.min, input.max, input.step] = ["range", "0.5", "60", "0.5"];
  input.value = String(data.prevalence);
  const prevalence = element("span", "prevalence"); // not an output: the label would name that, not the slider
  const rows = ["Calls that are right", "Non-calls that are right", "All decisions that are right"].map((title) => {
    const value = element("dd");
    return { entry: element("div", "", element("dt", "", title), value), value };
  });
  const move = () => {
    const share = Number(input.value) / 100;
    const [sensitivity, specificity] = [data.sensitivity / 100, data.specificity / 100];
    const [hits, alarms] = [sensitivity * share, (1 - specificity) * (1 - share)];
    const [misses, rejections] = [share - hits, 1 - share - alarms];
    prevalence.textContent = `${Number(input.value)} %`;
    input.setAttribute("aria-valuetext", prevalence.textContent);
    const values = [hits / (hits + alarms), rejections / (rejections + misses), hits + rejections];
    values.forEach((value, index) => (rows[index].value.textContent = `${Math.round(100 * value)} %`));
  };
  input.oninput = move;
  move();
  const label = element("label", "", element("span", "", "Prevalence ", prevalence), input);
  return element("div", "slider", label, element("dl", "", ...rows.map((row) => row.entry)));
}
