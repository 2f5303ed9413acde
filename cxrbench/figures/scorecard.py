"""The scorecard of an explanation method: one self-contained HTML file that prints on one page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from math import isnan
from typing import Final

from cxrbench.compare import DISCLAIMER
from cxrbench.figures.html_page import html_page, html_table
from cxrbench.judge import CRITERIA, Criterion
from cxrbench.judge.readers import READER_CEILINGS

__all__ = ["QUESTIONS", "Score", "Scorecard", "question_of", "scorecard"]

# Question of the scorecard → what it asks. The four of the FDA's evaluation (arXiv:2506.13917).
QUESTIONS: Final[Mapping[str, str]] = {
    "Fidelity": "Does the map follow what the model uses?",
    "Plausibility": "Does it lie where the finding is?",
    "Consistency": "Does it depend on model and finding, and stay the same under noise?",
    "Usefulness": "Does it tell more than what is known without looking at the model?",
}
# Families of criteria, and single criteria, → their question.
_BY_FAMILY: Final = {
    "interventional": "Fidelity",
    "faithfulness": "Fidelity",
    "localisation": "Plausibility",
    "sanity": "Consistency",
    "shortcut": "Usefulness",
}
_BY_NAME: Final = {"max_sensitivity": "Consistency", "sparseness": "Usefulness", "complexity": "Usefulness"}

_SIMULATED: Final = " Numbers from simulated films say nothing of real patients."

_STYLE: Final = """
@page { size: A4 portrait; margin: 8mm 10mm; }
* { box-sizing: border-box; }
body { font: 9.5px/1.3 system-ui, sans-serif; color: #1b2430; background: #fff; max-width: 190mm;
  margin: 0 auto; padding: 8px; }
h1 { font-size: 18px; margin: 0; } h2 { font-size: 12px; margin: 8px 0 2px; }
p { margin: 2px 0; } h2 small { font-weight: normal; font-size: 10px; }
table { border-collapse: collapse; width: 100%; min-width: 160mm; }
th, td { padding: 1.5px 4px; border-bottom: 1px solid #ccd4dc; text-align: right; vertical-align: top; }
th { font-weight: 600; } th:first-child, td:first-child { text-align: left; width: 40%; }
td:not(:first-child) { white-space: nowrap; }
td small { display: block; color: #4a5663; font-size: 8px; line-height: 1.2; }
.notice { border-left: 3px solid #b8860b; padding: 3px 8px; background: #fff8e6; margin: 4px 0; }
@media print { body { padding: 0; } tr, h2 { break-inside: avoid; } }
"""


@dataclass(frozen=True)
class Score:
    """A method by one criterion.

    Args:
        criterion: a key of ``CRITERIA``.
        mean: over films; NaN where it is undefined.
        low: of the 95 % interval.
        high: of the interval.
        films: number of films with a value.
        best: mean of the best that a map of the grid could have got; NaN where that is not known.
        controls: title of a control → its mean on the same films.
        verdicts: title of a control → "better", "worse", "open" (not shown), or None.
        others: model → mean on that model, of other models that were judged.
    """

    criterion: str
    mean: float
    low: float
    high: float
    films: int
    best: float
    controls: Mapping[str, float]
    verdicts: Mapping[str, str | None]
    others: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Scorecard:
    """What a scorecard shows.

    Args:
        method: title of the method.
        key: its key, with parameters.
        caveat: what the method cannot say, in one sentence.
        model: name of the model.
        finding: name of a finding, or "All findings".
        films: number of films.
        patients: number of patients.
        version: of this library.
        source: where the results come from.
        simulated: whether the films are phantoms.
        scores: by criterion.
    """

    method: str
    key: str
    caveat: str
    model: str
    finding: str
    films: int
    patients: int
    version: str
    source: str
    simulated: bool
    scores: Sequence[Score]


def question_of(record: Criterion) -> str:
    """The question of the scorecard that a criterion answers: a key of ``QUESTIONS``."""
    return _BY_NAME.get(record.name, _BY_FAMILY[record.family])


def scorecard(card: Scorecard) -> str:
    """The scorecard as HTML."""
    sections = "".join(_section(question, card) for question in QUESTIONS)
    others = sorted({model for score in card.scores for model in score.others})
    beside = f" “Other models”: means on {escape(', '.join(others))}." if others else ""
    body = (
        f"<h1>{escape(card.method)}</h1>"
        f"<p>Model <b>{escape(card.model)}</b>; {escape(card.finding)}; {card.films:,} films of "
        f"{card.patients:,} patients; {escape(card.source)}. Method <code>{escape(card.key)}</code>. "
        f"cxrbench {escape(card.version)}.</p>"
        f'<p class="notice">{escape(DISCLAIMER)}{_SIMULATED if card.simulated else ""}</p>'
        f"<p>What to consider: {escape(card.caveat)}</p>{sections}"
        "<p>Means over films of the means over a film's findings; in brackets 95 % bootstrap intervals by "
        "patient. ↑ higher is better, ↓ lower is better. Beside a control's mean: the method is better (+), "
        "worse (−), or neither is shown (○), by whether the 95 % interval of the paired difference excludes "
        "0; not corrected for many comparisons. Controls do not look at the model. Reachable: the best that "
        f"a map on this grid could get.{beside}</p>"
    )
    return html_page(f"{card.method}: scorecard", _STYLE, body)


def _section(question: str, card: Scorecard) -> str:
    scores = [score for score in card.scores if question_of(CRITERIA[score.criterion]) == question]
    head = f"<h2>{question} <small>{QUESTIONS[question]}</small></h2>"
    tally = _tally(card) if question == "Usefulness" else ""
    if not scores:
        return f"{head}{tally or '<p>Not measured in these results.</p>'}"
    controls = list(scores[0].controls)
    heads = ["Criterion, and what it cannot say", "Mean", *controls, "Reachable", "Other models"]
    return f"{head}{tally}{html_table(heads, [_cells(score, controls) for score in scores])}"


def _cells(score: Score, controls: Sequence[str]) -> list[str]:
    """A row of the table, as HTML."""
    record = CRITERIA[score.criterion]
    arrow = {True: " ↑", False: " ↓", None: " (no direction)"}[record.higher_is_better]
    ceiling = f" {READER_CEILINGS[record.name]}" if record.name in READER_CEILINGS else ""
    cells = [
        f"<b>{escape(record.title)}</b>{arrow}<small>{escape(record.caveat + ceiling)}</small>",
        f"<b>{_number(score.mean)}</b> [{_number(score.low)}, {_number(score.high)}]",
    ]
    marks = {"better": " (+)", "worse": " (−)", "open": " (○)", None: ""}
    cells += [f"{_number(score.controls[name])}{marks[score.verdicts.get(name)]}" for name in controls]
    means = [value for value in score.others.values() if not isnan(value)]
    spread = f"{_number(min(means))} to {_number(max(means))}" if means else "–"
    cells += [_number(score.best), _number(means[0]) if len(means) == 1 else spread]
    return cells


def _tally(card: Scorecard) -> str:
    """By how many criteria the method is better than each control."""
    sentences = []
    for control in next((list(score.verdicts) for score in card.scores), []):
        found = [score.verdicts.get(control) for score in card.scores]
        counted = [verdict for verdict in found if verdict is not None]
        if counted:
            sentences.append(
                f"Than {control}: better by {counted.count('better')} of {len(counted)} criteria, worse by "
                f"{counted.count('worse')}, not shown by {counted.count('open')}."
            )
    return f"<p>{escape(' '.join(sentences))}</p>" if sentences else ""


def _number(value: float) -> str:
    return "–" if isnan(value) else f"{value:.2f}".replace("-", "−")
