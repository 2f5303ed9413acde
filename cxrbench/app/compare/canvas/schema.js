// What Python sends to the canvas. Each type is the TypedDict of the same name in schema.py; a test compares the two.

/**
 * The radiograph.
 *
 * @typedef {object} PictureData
 * @property {string} src a PNG as a data URL
 * @property {number} width in pixels, like all lengths below
 * @property {number} height
 */

/**
 * One map on its own grid.
 *
 * @typedef {object} MapData
 * @property {"f32" | "i16"} kind of number in `data`: little-endian floats, or whole multiples of `step`
 * @property {number} width
 * @property {number} height
 * @property {[number, number, number, number]} box where it lies over the picture: left, top, right, bottom
 * @property {number} step
 * @property {string} data rows from the top, in base 64
 */

/**
 * What the known truth says of a map.
 *
 * @typedef {object} TruthData
 * @property {string} text one line below the picture
 * @property {string} about what it means, shown when one points at it or opens it
 */

/**
 * One panel.
 *
 * @typedef {object} PanelData
 * @property {string} id unique in the scene, and the same for the same content
 * @property {"radiograph" | "map"} kind
 * @property {string} title
 * @property {string} subtitle
 * @property {string} group maps of one group share a scale where the reader chooses one scale per method
 * @property {string[]} facts below the picture
 * @property {TruthData | null} truth what the known extent of the finding says of the map
 * @property {string[]} notes warnings
 * @property {string} alt what the picture shows, for those who do not see it
 * @property {[number, number][][] | null} outline of the true extent: polygons of (x, y)
 * @property {string} finding whose extent is outlined, and whose map it is
 * @property {number | null} progress in [0, 1] while the map is computed
 * @property {MapData | null} map
 * @property {number} peak relevance at full colour on the map's own scale
 * @property {boolean} signed
 * @property {boolean} first begins a row
 * @property {number} rows that it spans, at the left of the panels that follow
 * @property {boolean} dimmed drawn faintly, since the model does not call the finding
 * @property {number | null} opacity until the reader chooses one; null: as the other maps
 * @property {boolean} fixed whether the peak holds whatever scale the reader chooses
 * @property {string} colours name of its own colour table; else empty
 * @property {number | null} picture what lies under the map: place among the scene's `others`; null for its `picture`
 */

/**
 * One colour table.
 *
 * @typedef {object} ColourData
 * @property {string} title
 * @property {boolean} diverging for signed maps
 * @property {string} table 256 × 3 bytes in base 64
 */

/**
 * All that the canvas shows.
 *
 * @typedef {object} SceneData
 * @property {PictureData} picture
 * @property {PictureData[]} others further pictures of its size, for panels that name them
 * @property {PanelData[]} panels
 * @property {string[]} shared what holds for all maps
 * @property {number} columns panels per row, at most
 * @property {Record<string, ColourData>} colours
 * @property {Record<string, string>} scales key → what is said of it
 * @property {[string, string][] | null} link query parameters that bring this back; null if nothing can
 * @property {string} unlinkable what is said where there is no link
 * @property {string} file name of the saved picture, without its ending
 * @property {string} disclaimer
 * @property {boolean} follows whether it has no controls of its own and is drawn as the page's other scene
 * @property {boolean} presenter whether it is for a projector: with few controls, and larger pictures
 * @property {boolean} asked whether the canvas tells the server how it is drawn, once when this becomes true
 */
