"""Descriptions of methods and models, built from their records."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import streamlit as st

from cxrbench.app.services import model_registry
from cxrbench.evaluation import METRICS

__all__ = ["methods", "models"]


def methods() -> None:
    """A table of every method, narrow enough for a phone: its paper, what it reads and costs, its caveat."""
    from cxrbench.explain import METHODS

    rows = ["| Method | Reads and costs | Keep in mind |", "|---|---|---|"]
    for record in METHODS.values():
        reads = "a feature map" if record.reads_stage else "the pixels"
        name = _linked(record.title, record.reference)
        rows.append(f"| **{name}** | {reads}; {record.cost} | {record.caveat} |")
    st.markdown("\n".join(rows))


def models() -> None:
    """Every model with what was measured on it and its card; folders that hold none, with the reason."""
    with st.spinner("Loading the models…"):
        found = model_registry.stock()
    for problem in found.problems:
        st.warning(problem)
    if not found.models:
        st.info(
            "There is no model here yet: put a saved model into assets/models, or name a folder of them in "
            "CXRBENCH_MODELS, and start again."
        )
    answers = {
        name: tuple(label for label in model.spec.labels if label) for name, model in found.models.items()
    }
    usual, _ = Counter(answers.values()).most_common(1)[0] if answers else ((), 0)
    if len(answers) > 1:
        st.markdown(f"Unless said otherwise, a model answers for {len(usual)} findings: {', '.join(usual)}.")
    for name, model in found.models.items():
        side = model.spec.preprocessing.size
        st.subheader(found.titles[name])
        own = answers[name]
        unlike = len(answers) == 1 or own != usual
        findings = f"; answers for {len(own)} findings: {', '.join(own)}" if unlike else ""
        st.markdown(
            f"`{name}`, {model.spec.architecture}, weights `{model.revision}`; sees {side} × {side} pixels"
            f"{findings}."
        )
        _evaluation(found.evaluations[name])
        if found.cards[name]:
            with st.expander(f"Model card of {found.titles[name]}"):
                st.markdown(_lowered(found.cards[name]))


def _evaluation(measured: Mapping[str, Any]) -> None:
    plain = {key: value for key, value in measured.items() if isinstance(value, int | float | str)}
    if not measured:
        st.caption("Nothing was measured on this model: read its scores as examples only.")
    elif plain:
        words = (f"{_named(key)} {_figure(value)}" for key, value in plain.items())
        st.markdown("Measured: " + " · ".join(words) + ". More in its card.")


def _named(key: str) -> str:
    """Such as “mean AUROC” of ``mean_auroc``: figures as the Performance page calls them."""
    name = next((name for name in METRICS if key.endswith(name)), None)
    return (
        f"{key.removesuffix(name)}{METRICS[name].title}".replace("_", " ") if name else key.replace("_", " ")
    )


def _figure(value: float | str) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _linked(title: str, reference: str) -> str:
    """A method's name as a link to its paper."""
    kind, _, number = reference.partition(":")
    address = {"arXiv": f"https://arxiv.org/abs/{number}", "doi": f"https://doi.org/{number}"}.get(kind)
    return f"[{title}]({address})" if address else f"{title} ({reference})"


def _lowered(card: str) -> str:
    """A card's text without its YAML head, its headings below the page's own."""
    if card.startswith("---\n"):
        card = card.partition("\n---\n")[2]
    return "\n".join(f"###{line}" if line.startswith("#") else line for line in card.splitlines())
