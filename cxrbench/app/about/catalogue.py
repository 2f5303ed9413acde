"""Descriptions of methods and models, built from their records."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import streamlit as st

from cxrbench.app.services import model_registry
from cxrbench.app.widgets import terms
from cxrbench.app.widgets.model_cards import card_text
from cxrbench.evaluation import METRICS
from cxrbench.models import catalog

__all__ = ["methods", "models"]


def methods() -> None:
    """Draw one table per family of methods: paper, cost and caveat."""
    from cxrbench.explain import FAMILIES, METHODS

    for family, (title, sentence) in FAMILIES.items():
        records = [record for record in METHODS.values() if record.family == family]
        if not records:
            continue
        terms.subheader(title)
        terms.caption(sentence)
        rows = ["| Method | Cost | Caveat |", "|---|---|---|"]
        for record in records:
            name = _linked(record.title, record.reference)
            rows.append(f"| **{name}** | {record.cost} | {record.caveat} |")
        st.markdown("\n".join(rows))


def models() -> None:
    """Draw every model with its evaluation and card, and a warning for each folder that cannot be loaded."""
    with st.spinner("Loading the models…"):
        loaded = model_registry.loaded()
    for problem in loaded.problems:
        st.warning(problem)
    if not loaded.models:
        st.info(f"No model was found. {catalog.how_to_add()}")
    findings_of = {
        name: tuple(label for label in model.spec.labels if label) for name, model in loaded.models.items()
    }
    usual, _ = Counter(findings_of.values()).most_common(1)[0] if findings_of else ((), 0)
    if len(findings_of) > 1:
        terms.markdown(
            f"Unless stated otherwise, a model predicts {len(usual)} findings: {', '.join(usual)}."
        )
    for name, model in loaded.models.items():
        height, width = model.spec.preprocessing.input_shape
        st.subheader(loaded.titles[name])
        own = findings_of[name]
        listed = len(findings_of) == 1 or own != usual
        findings = f"; predicts {len(own)} findings: {', '.join(own)}" if listed else ""
        terms.markdown(
            f"`{name}`, {model.spec.architecture}, weights `{model.revision}`; input {width} × {height} "
            f"pixels{findings}."
        )
        _evaluation(loaded.evaluations[name])
        if loaded.cards[name]:
            with st.expander(f"Model card of {loaded.titles[name]}"):
                st.markdown(card_text(loaded.cards[name]))
    if loaded.models:
        terms.caption(f"More models: {catalog.how_to_add()}")


def _evaluation(evaluation: Mapping[str, Any]) -> None:
    plain = {key: value for key, value in evaluation.items() if isinstance(value, int | float | str)}
    if not evaluation:
        terms.caption("This model has not been evaluated: treat its scores as examples only.")
    elif plain:
        metrics = (f"{_title_of(key)} {_formatted(value)}" for key, value in plain.items())
        terms.markdown("Evaluation: " + " · ".join(metrics) + ". More in its card.")


def _title_of(key: str) -> str:
    """The metric's title as on the Performance page, for example “mean AUROC” for ``mean_auroc``."""
    name = next((name for name in METRICS if key.endswith(name)), None)
    return (
        f"{key.removesuffix(name)}{METRICS[name].title}".replace("_", " ") if name else key.replace("_", " ")
    )


def _formatted(value: float | str) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _linked(title: str, reference: str) -> str:
    """A method's name as a link to its paper; the name alone where there is none."""
    if not reference:
        return title
    kind, _, number = reference.partition(":")
    address = {"arXiv": f"https://arxiv.org/abs/{number}", "doi": f"https://doi.org/{number}"}.get(kind)
    return f"[{title}]({address})" if address else f"{title} ({reference})"
