"""Scores of all findings as an accessible list: bar, threshold and ground truth, also in words."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

from cxrbench.compare import Prediction

__all__ = ["score_list"]

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
