// What Python sends to the lesson player, and what it sends back. Each type is the TypedDict of the same name in
// schema.py; a test compares the two.

/**
 * A lesson in the list.
 *
 * @typedef {object} EntryData
 * @property {string} id of its link
 * @property {string} title
 * @property {string} purpose one sentence
 * @property {number} steps how many it has
 * @property {number} questions how many of them ask something
 * @property {string} problem why it cannot be opened; "" if it can
 */

/**
 * A film, perhaps with a heat map over it.
 *
 * @typedef {object} PictureData
 * @property {string} film key of an image
 * @property {string} heat key of an image that lies over the film; "" for none
 * @property {string} colours what the colours of the heat map mean; "" where there is none, or where it is not known
 * @property {number[][]} outline polygons in pixels of the film, x and y in turn
 * @property {string} outlined name of what is outlined; "" where nothing is
 * @property {number} width of the film, in pixels
 * @property {number} height
 * @property {string} caption
 * @property {string} alternative text for readers who do not see it
 * @property {boolean} revealed shown with the reveal only
 */

/**
 * An answer that can be chosen.
 *
 * @typedef {object} OptionData
 * @property {string} text
 * @property {boolean} right
 */

/**
 * A choice, or a number with a tolerance.
 *
 * @typedef {object} QuestionData
 * @property {string} ask
 * @property {OptionData[]} options of a choice; empty for a number
 * @property {number} value the right number
 * @property {string} shown the right answer in words
 * @property {number} tolerance
 * @property {string} unit after the number; "" for none
 */

/**
 * Sensitivity and specificity, and the prevalence at which the slider starts; all in percent.
 *
 * @typedef {object} SliderData
 * @property {number} sensitivity
 * @property {number} specificity
 * @property {number} prevalence
 */

/**
 * A step.
 *
 * @typedef {object} StepData
 * @property {string} title
 * @property {string[]} text paragraphs
 * @property {Record<string, string>} terms as `Meanings.terms`, of all texts of the step
 * @property {PictureData[]} pictures
 * @property {QuestionData | null} question null for a step that only explains
 * @property {string[]} reveal paragraphs that are shown with the right answer
 * @property {SliderData | null} slider
 * @property {string} bench address of the page that opens this state; "" for none
 * @property {string} page title of that page
 */

/**
 * One lesson.
 *
 * @typedef {object} LessonData
 * @property {string} id of its link
 * @property {string} title
 * @property {string} purpose one sentence
 * @property {StepData[]} steps
 * @property {Record<string, string>} images key → address of the image
 */

/**
 * The list of lessons, or one lesson.
 *
 * @typedef {object} LearnData
 * @property {EntryData[]} lessons
 * @property {Record<string, string>} terms as of a step, in what the list says of the lessons
 * @property {LessonData | null} lesson null for the list
 */

/**
 * A click that opens a lesson, or shows the link to one of its steps.
 *
 * @typedef {object} OpenData
 * @property {string} id of the lesson; "" for the list
 * @property {"open" | "share"} kind
 * @property {number} step counted from 1
 */
