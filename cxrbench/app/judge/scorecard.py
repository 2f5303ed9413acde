"""Tab of the Judge page: the scorecard of a method, to look at and to save."""

from collections.abc import Hashable, Mapping
from typing import Any, Final

import streamlit as st

from cxrbench import __version__
from cxrbench.app.judge.controls import ALL_FINDINGS, Selection
from cxrbench.app.judge.results import judged_as, method_title
from cxrbench.app.judge.tables import by_key
from cxrbench.app.judge.words import CONTROLS
from cxrbench.app.widgets import terms
from cxrbench.errors import InputError
from cxrbench.explain import configured_method
from cxrbench.figures.scorecard import Score, Scorecard, question_of, scorecard
from cxrbench.judge import CRITERIA
from cxrbench.workflows.judge_summary import Verdict, gains, means, verdict

__all__ = ["card_of", "scorecard_part"]

_CONTROLS: Final = (*CONTROLS, "random")
# Question → how many criteria fit on a page of A4; and those that are taken first.
_MOST: Final = {"Fidelity": 6, "Plausibility": 5, "Consistency": 3, "Usefulness": 3}
_FIRST: Final = (
    "single_deletion_mean",
    "twin_deletion",
    "target_sensitivity",
    "distractibility",
    "road",
    "insertion_blur",
    "hit",
    "relevance_mass",
    "rank_accuracy",
    "otsu_iou",
    "box_iou",
    "finding_swap",
    "max_sensitivity",
    "randomisation_spearman",
    "confounder_sensitivity",
    "confounder_false_alarm",
    "sparseness",
)


def scorecard_part(selection: Selection) -> None:
    """Draw the scorecard as it prints, and the button that saves it."""
    card = card_of(selection)
    if not card.scores:
        st.info(
            f"{card.method} was not judged on {selection.model}: it may not apply to this model. Choose "
            "another method or model."
        )
        return
    html = scorecard(card)
    stem = "".join(letter if letter.isalnum() else "-" for letter in f"{selection.method}-{selection.model}")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Save the scorecard",
            html.encode(),
            f"scorecard-{stem}.html",
            "text/html",
            on_click="ignore",
            icon=":material/download:",
            type="primary",
            key="save_scorecard",
        )
        terms.caption(
            "One HTML file without links to other files; it prints on one page of A4. "
            f"It holds {len(card.scores)} of {len(selection.judged.criteria)} criteria: as many as fit."
        )
    st.iframe(html, height=1000, alt=f"Scorecard of {card.method}.")


def card_of(selection: Selection) -> Scorecard:
    """The scorecard of the method in view, for the model and finding in view."""
    rows = selection.rows
    own = rows[rows["method"] == selection.method]
    results = selection.results
    scores = _scores(results.key, selection.method, selection.model, selection.finding, selection)
    return Scorecard(
        method=method_title(selection.method),
        key=selection.method,
        caveat=_caveat(selection.method),
        model=selection.model,
        finding=selection.finding,
        films=int(own["film"].nunique()),
        patients=int(own["patient"].nunique()),
        version=__version__,
        source=f"your own results, {results.title}" if results.own else f"stored results, {results.title}",
        simulated=selection.judged.simulated,
        scores=scores,
    )


@st.cache_data(max_entries=32, show_spinner="Computing the scorecard …")
def _scores(key: str, method: str, model: str, finding: str, _selection: Selection) -> list[Score]:
    table = _selection.results.table
    methods = [method, *(judged_as(name, _selection.judged.methods) for name in _CONTROLS)]
    chosen = table["method"].isin(methods) & table["criterion"].isin(_shown(_selection))
    if finding != ALL_FINDINGS:
        chosen &= table["finding"] == finding
    rows = table[chosen]
    if not ((rows["model"] == model) & (rows["method"] == method)).any():
        return []
    mine = rows[rows["model"] == model]
    here = by_key(means(mine))
    elsewhere = means(rows[(rows["model"] != model) & (rows["method"] == method)])
    judged = {key for _, key in here}
    controls = [key for key in (judged_as(name, judged) for name in _CONTROLS) if key in judged - {method}]
    differences = {name: by_key(gains(mine, name)) for name in controls}
    scores = []
    for name in (name for name in _shown(_selection) if (name, method) in here):
        same = elsewhere[elsewhere["criterion"] == name]
        scores.append(
            Score(
                criterion=name,
                **{str(part): here[name, method][part] for part in ("mean", "low", "high", "films", "best")},
                controls={method_title(key): _mean(here.get((name, key))) for key in controls},
                verdicts={
                    method_title(key): _verdict(row_of.get((name, method)))
                    for key, row_of in differences.items()
                },
                others=dict(zip(same["model"], same["mean"], strict=True)),
            )
        )
    return scores


def _shown(selection: Selection) -> list[str]:
    """The criteria of a scorecard, as many of each question as fit on a page."""
    judged = selection.judged.criteria
    by_question: dict[str, list[str]] = {question: [] for question in _MOST}
    for name in sorted(judged, key=lambda name: name not in _FIRST):
        question = question_of(CRITERIA[name])
        if len(by_question[question]) < _MOST[question]:
            by_question[question].append(name)
    return [name for name in judged if name in by_question[question_of(CRITERIA[name])]]


def _mean(row: Mapping[Hashable, Any] | None) -> float:
    return float("nan") if row is None else float(row["mean"])


def _verdict(row: Mapping[Hashable, Any] | None) -> Verdict | None:
    if row is None:
        return None
    higher = CRITERIA[row["criterion"]].higher_is_better
    return verdict(row["gain_low"], row["gain_high"], higher_is_better=higher)


def _caveat(key: str) -> str:
    try:
        return configured_method(key).record.caveat
    except InputError:
        return "unknown to this version."
