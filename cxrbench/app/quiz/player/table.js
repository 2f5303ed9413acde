// Answers as the table that is exported: one row per film, as cxrbench.teaching.quiz.read_answers reads it.

/** @import { Answer } from "./figures.js" */

/**
 * @param {boolean | number | string | null | undefined} value
 * @returns {string}
 */
function cell(value) {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return value ? "1" : "0";
  return typeof value === "number" ? String(Number(value.toFixed(6))) : `"${value.replaceAll('"', '""')}"`;
}

/**
 * @param {string} round
 * @param {Answer} each
 * @returns {Record<string, boolean | number | string | null | undefined>}
 */
const rowOf = (round, each) => ({
  round,
  film: each.film,
  present: each.present,
  ai_present: each.ai_present,
  ai_inverted: each.ai_present === null ? null : each.inverted,
  alone_present: each.alone.present,
  alone_confidence: each.alone.confidence,
  alone_seconds: each.alone.seconds,
  with_ai_present: each.with_ai?.present,
  with_ai_confidence: each.with_ai?.confidence,
  with_ai_seconds: each.with_ai?.seconds,
  mark_x: each.mark?.x,
  mark_y: each.mark?.y,
  mark_radius: each.mark?.radius,
  distance: each.distance,
  iou: each.overlap.iou,
  share_of_mark: each.overlap.of_mark,
  share_of_map: each.overlap.of_map,
});

/**
 * @param {string[]} columns
 * @param {Answer[]} answers
 * @param {Answer[]} retest
 * @returns {string}
 */
export function answerTable(columns, answers, retest) {
  const rows = [...answers.map((each) => rowOf("quiz", each)), ...retest.map((each) => rowOf("retest", each))];
  return [columns.join(","), ...rows.map((row) => columns.map((name) => cell(row[name])).join(","))].join("\r\n") + "\r\n";
}
