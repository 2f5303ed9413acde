// What Python sends to the curves, and what a click sends back. Each type is the TypedDict of the same name in
// schema.py; a test compares the two.

/**
 * One curve with its confidence band.
 *
 * @typedef {object} CurveData
 * @property {(number | null)[]} x of the vertices; null where undefined
 * @property {(number | null)[]} y
 * @property {(number | null)[]} low of the band, at the grid's points
 * @property {(number | null)[]} high
 * @property {string} words its area with the interval
 */

/**
 * Predicted present: how many of the positives, how many of the negatives.
 *
 * @typedef {object} CountsData
 * @property {number} hits
 * @property {number} alarms
 */

/**
 * Where a rule puts the threshold.
 *
 * @typedef {object} MarkData
 * @property {string} rule
 * @property {string} title
 * @property {number} at
 * @property {string} says
 */

/**
 * Histograms of the scores: shares of the images, from score 0 to 1.
 *
 * @typedef {object} ScoresData
 * @property {number[]} present
 * @property {number[]} absent
 */

/**
 * One system: a model or an ensemble.
 *
 * @typedef {object} SystemData
 * @property {string} id
 * @property {string} title
 * @property {string} colour
 * @property {boolean} graded gives scores; otherwise it votes, and only `fixed` holds
 * @property {number} threshold where the slider starts
 * @property {CurveData} roc
 * @property {CurveData} pr
 * @property {number[]} hits at each step
 * @property {number[]} alarms at each step
 * @property {CountsData} fixed by its own decisions
 * @property {MarkData[]} marks
 * @property {ScoresData} scores
 */

/**
 * All that the curves show.
 *
 * @typedef {object} FindingData
 * @property {string} finding
 * @property {string} rule which put the thresholds where the slider starts
 * @property {number} positives
 * @property {number} negatives
 * @property {number[]} grid abscissae of the bands
 * @property {number[]} steps thresholds of the slider, in ascending order
 * @property {SystemData[]} systems
 */

/**
 * A click on a count.
 *
 * @typedef {object} CellClick
 * @property {string} system
 * @property {"hits" | "alarms" | "misses" | "rejections"} kind
 * @property {number} threshold
 * @property {string} finding
 */
