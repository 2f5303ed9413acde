"""Scores of all findings: a list with bars for one model, a table with a column per model for several."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from cxrbench.compare import Prediction

__all__ = ["score_list", "score_table"]

_STYLE: Final = """<style>
.scores.scores {list-style: none; margin: 0; padding: 0; display: grid; gap: 0.5rem 1.75rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); font-size: 0.875rem}
.scores.scores li {margin: 0; padding: 0.15rem 0 0.15rem 0.6rem; border-left: 3px solid transparent}
.scores li.shown {border-color: currentColor}
.scores .line {display: flex; gap: 0.5rem; align-items: baseline}
.scores .name {flex: 1; overflow-wrap: anywhere}
.scores .above .name, .scores .above .value {font-weight: 650}
.scores .value {font-variant-numeric: tabular-nums}
.scores .track {position: relative; height: 8px; margin: 0.2rem 0; border-radius: 4px;
  background: color-mix(in srgb, currentColor 16%, transparent)}
.scores .fill {position: absolute; inset: 0 auto 0 0; border-radius: 4px; background: #56a0d3}
.scores .above .fill {background: #e07b1a}
.scores .tick {position: absolute; top: -3px; bottom: -3px; width: 2px; background: currentColor}
.scores .words {font-size: 0.75rem}
</style>"""


_TABLE_STYLE: Final = """<style>
.score-tables {display: grid; gap: 0 2.5rem; font-size: 0.8125rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); align-items: start}
.score-tables > div {overflow-x: auto}
.score-tables table {border-collapse: collapse; width: 100%; margin: 0}
.score-tables :is(th, td) {padding: 0.1rem 0.6rem; line-height: 1.35; text-align: left; font-weight: 400;
  border: 0; border-bottom: 1px solid color-mix(in srgb, currentColor 18%, transparent)}
.score-tables td {white-space: nowrap; font-variant-numeric: tabular-nums}
.score-tables thead th {font-weight: 600; vertical-align: bottom}
.score-tables tr.shown th {font-weight: 650; box-shadow: inset 3px 0 0 currentColor}
.score-tables .above {font-weight: 650; box-shadow: inset 0 -3px 0 #e07b1a}
.score-tables small {font-size: 0.75rem; font-weight: 400}
@media (max-width: 640px) {
  .score-tables :is(th, td) {padding: 0.1rem 0.25rem; white-space: normal; overflow-wrap: break-word}
  .score-tables small {display: block}
}
</style>"""
_BLOCK: Final = 7  # findings per table, at least; two tables of them stand side by side


def score_table(
    predictions: Mapping[str, Prediction],
    truth: Mapping[str, int],
    shown: Sequence[str],
    titles: Mapping[str, str],
) -> str:
    """Return the scores of several models as HTML: one row per finding, one column per model.

    Args:
        predictions: model → scores and thresholds.
        truth: finding → 1 or 0, for findings with a ground truth.
        shown: findings whose maps are shown.
        titles: model → title on the page.
    """
    names = list(dict.fromkeys(label for each in predictions.values() for label in each.labels))
    known = any(name in truth for name in names)
    titled = [escape(titles.get(model, model)) for model in predictions]
    columns = ["Finding", *(["Ground truth"] if known else []), *titled]
    head = "".join(f'<th scope="col">{column}</th>' for column in columns)
    size = max(_BLOCK, -(-len(names) // 2))
    tables = []
    for start in range(0, len(names), size):
        rows = "".join(
            _table_row(name, predictions, truth.get(name), known=known, shown=name in shown)
            for name in names[start : start + size]
        )
        tables.append(f"<div><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>")
    return f'{_TABLE_STYLE}<div class="score-tables">{"".join(tables)}</div>'


def _table_row(
    name: str, predictions: Mapping[str, Prediction], truth: int | None, *, known: bool, shown: bool
) -> str:
    words = {1: "● present", 0: "○ absent", None: ""}[truth]
    cells = "".join(_table_cell(name, prediction, truth) for prediction in predictions.values())
    truth_cell = f"<td>{words}</td>" if known else ""
    return (
        f'<tr class="{"shown" if shown else ""}"><th scope="row">{escape(name)}</th>{truth_cell}{cells}</tr>'
    )


def _table_cell(name: str, prediction: Prediction, truth: int | None) -> str:
    if name not in prediction.labels:
        return "<td>no output</td>"
    index = prediction.labels.index(name)
    score, threshold = float(prediction.scores[index]), float(prediction.thresholds[index])
    above = score >= threshold
    wrong = (
        "" if truth is None or bool(truth) == above else ", false negative" if truth else ", false positive"
    )
    side = "above" if above else "below"
    kind = ' class="above"' if above else ""
    return f"<td{kind}>{score:.2f} <small>{side} {threshold:.2f}{wrong}</small></td>"


def score_list(prediction: Prediction, truth: Mapping[str, int], shown: Sequence[str]) -> str:
    """Return the scores of one model as HTML.

    Args:
        prediction: scores and thresholds.
        truth: finding → 1 or 0, for findings with a ground truth.
        shown: findings whose maps are shown.
    """
    rows = zip(prediction.labels, prediction.scores, prediction.thresholds, strict=True)
    items = "".join(_item(*row, truth=truth.get(row[0]), shown=row[0] in shown) for row in rows)
    return f'{_STYLE}<ul class="scores" aria-label="Scores of {escape(prediction.model)}">{items}</ul>'


def _item(name: str, score: float, threshold: float, *, truth: int | None, shown: bool) -> str:
    above = bool(score >= threshold)
    words = [f"{'above' if above else 'below'} {threshold:.2f}"]
    words += {1: ["● present (ground truth)"], 0: ["○ absent (ground truth)"], None: []}[truth]
    if truth is not None and bool(truth) != above:
        words.append("false negative" if truth else "false positive")
    kind = " ".join(filter(None, ("above" if above else "", "shown" if shown else "")))
    return (
        f'<li class="{kind}"><div class="line"><span class="name">{escape(name)}</span>'
        f'<span class="value">{score:.2f}</span></div>'
        f'<div class="track" aria-hidden="true"><div class="fill" style="width:{score:.1%}"></div>'
        f'<div class="tick" style="left:calc({threshold:.1%} - 1px)"></div></div>'
        f'<div class="words">{escape(" · ".join(words))}</div></li>'
    )
