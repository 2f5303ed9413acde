// What Python sends to the quiz player. Each type is the TypedDict of the same name in schema.py; a test compares the two.

/**
 * The AI's answer to one film.
 *
 * @typedef {object} AnswerOfAi
 * @property {boolean} present
 * @property {number} score
 * @property {number} threshold
 * @property {boolean} inverted whether it is the opposite of the model's answer
 * @property {boolean} ready whether the map is there, or will not come
 * @property {string} map a transparent PNG over the film, as a data URL; "" without one
 * @property {string | null} region of the map: bits of its cells in base 64, rows from the top; null without one
 * @property {string} note why there is no map
 */

/**
 * One film.
 *
 * @typedef {object} FilmData
 * @property {string} film its name
 * @property {string} picture a PNG as a data URL
 * @property {boolean} present the truth
 * @property {number | null} severity of the finding; null without it
 * @property {AnswerOfAi | null} ai null in the retest
 * @property {string | null} lesion bits of its cells in base 64, rows from the top; null without one
 * @property {string} outline of the lesion: an SVG path in thousandths of the film's side; "" without one
 * @property {string} link where the film opens on Compare
 */

/**
 * A row of the figures.
 *
 * @typedef {object} FigureData
 * @property {string} key
 * @property {string} title
 * @property {string} group heading under which it stands
 * @property {"share" | "difference" | "number" | "seconds"} unit
 * @property {string} meaning
 */

/**
 * A pattern of agreement between mark and map.
 *
 * @typedef {object} PatternData
 * @property {string} agreement "same", "map in mark", "mark in map" or "elsewhere"
 * @property {boolean} ai_right
 * @property {string} title
 * @property {string} meaning
 */

/**
 * All that the player shows.
 *
 * @typedef {object} QuizData
 * @property {string} id of the quiz: answers are kept under it
 * @property {string} finding that is asked for
 * @property {string} model title of the AI
 * @property {string} method title of the method of its maps
 * @property {string} about_method what its maps show, as the end of a sentence
 * @property {number} grid cells per side of lesions and regions
 * @property {number} films number of films of the quiz
 * @property {number} retest_films number of films of the retest
 * @property {FilmData[]} items the first films of the quiz, as far as they are prepared
 * @property {FilmData[]} retest the first films of the retest, likewise
 * @property {FigureData[]} figures
 * @property {PatternData[]} patterns
 * @property {Record<string, string>} terms as `Meanings.terms`, of the texts of the player
 * @property {string[]} columns of the exported table
 */
