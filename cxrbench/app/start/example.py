"""The example of the Start page: a film with a finding, three maps, and the film without the finding."""

from dataclasses import dataclass
from math import exp
from typing import Final

import streamlit as st

from cxrbench.app.services.known_truth import location_priors
from cxrbench.app.services.radiographs import Source, case
from cxrbench.app.start.pictures import film_png, map_png
from cxrbench.app.widgets import terms
from cxrbench.app.widgets.page_links import page_link
from cxrbench.compare import Comparison, gallery
from cxrbench.compare.against_truth import AgainstTruth, against_truth
from cxrbench.errors import InputError

__all__ = ["EXAMPLE", "Example", "draw_example", "scores_without"]


@dataclass(frozen=True)
class Example:
    """What is shown.

    Args:
        case: id of a gallery case.
        finding: that it illustrates.
        model: whose maps are shown.
        methods: keys of three methods whose maps are stored.
    """

    case: str
    finding: str
    model: str
    methods: tuple[str, ...]


# Grad-CAM misses, integrated gradients hit, and so does the prior, which never sees the film.
EXAMPLE: Final = Example(
    "pleural-effusion",
    "Pleural Effusion",
    "efficientnet_b0",
    ("grad_cam", "integrated_gradients", "location_prior"),
)

_AWAY: Final = "finding_away"  # session state: whether the finding is taken away


def draw_example(example: Example = EXAMPLE) -> None:
    """Draw film and maps with their numbers, and the button that takes the finding away."""
    try:
        source = case(example.case)
    except InputError:  # another folder of assets than the shipped one need not have the case
        return
    comparison, maps = source.precomputed, [(example.model, method) for method in example.methods]
    if comparison is None or example.finding not in comparison.masks:
        return
    if not comparison.heat_maps.keys() >= set(maps):
        return
    prediction = comparison.predictions[example.model]
    score = float(prediction.scores[prediction.labels.index(example.finding)])
    title = gallery.models().get(example.model, example.model)
    name = example.finding.lower()
    terms.markdown(
        f"This patient is simulated, so the truth is known: the {name} lies in the **white outline**. "
        f"{title} gives it a score of **{score:.2f}**. Three methods say where that score comes from. "
        "Do they agree?"
    )
    _draw_maps(source, comparison, example)
    with st.container(horizontal=True, vertical_alignment="center"):
        away = bool(st.session_state.get(_AWAY))
        st.button(
            f"Put the {name} back" if away else f"Take the {name} away",
            type="secondary" if away else "primary",
            icon=":material/undo:" if away else ":material/healing:",
            on_click=_toggle,
            key="take_away",
        )
        page_link("compare", "Open on Compare: any film, model and method", query_params=_link(example))
    if away:
        _draw_without(source, comparison, example)


def scores_without(source: Source, comparison: Comparison, finding: str) -> dict[str, tuple[float, float]]:
    """Model → its score of the finding, and its score of the same film without the finding.

    Args:
        source: a gallery case with stored effects on the logits.
        comparison: with predictions of the models.
        finding: that is taken away.
    """
    found = {}
    for model, prediction in comparison.predictions.items():
        effect = source.effects.get(model, {}).get(finding)
        if effect is None or finding not in prediction.labels:
            continue
        index = prediction.labels.index(finding)
        logit = float(prediction.logits[index])
        found[model] = (float(prediction.scores[index]), 1 / (1 + exp(effect - logit)))
    return found


def _draw_maps(source: Source, comparison: Comparison, example: Example) -> None:
    mask = comparison.masks[example.finding]
    priors = location_priors(source, [example.finding])
    columns = st.columns(1 + len(example.methods))
    with columns[0]:
        terms.markdown("**The radiograph**")
        st.image(
            film_png(comparison.image, mask),
            width="stretch",
            output_format="PNG",
            alt=f"Simulated chest radiograph; {example.finding} is outlined.",
        )
        terms.caption(f"Known extent: {float(mask.mean()):.1%} of the film.")
    for column, method in zip(columns[1:], example.methods, strict=True):
        heat = comparison.heat_maps[example.model, method]
        found = against_truth(heat, comparison, example.finding, priors)
        with column:
            terms.markdown(f"**{heat.title or method}**")
            st.image(
                map_png(comparison.image, heat, example.finding, mask),
                width="stretch",
                output_format="PNG",
                alt=f"Map of {heat.title or method} for {example.finding}. {_verdict(found)}",
            )
            terms.caption(_verdict(found) + _never_sees(method))


def _verdict(found: AgainstTruth | None) -> str:
    if found is None:
        return "Nothing in the map raises the score."
    place = (
        "**Hit**: its strongest point lies inside."
        if found.hit
        else "**Miss**: its strongest point lies outside."
    )
    return (
        f"{place} {found.inside:.0%} of its relevance lies inside; of an even map it would be "
        f"{found.chance:.0%}."
    )


def _never_sees(method: str) -> str:
    if method != "location_prior":
        return ""
    return " It never sees this film: it marks where this finding lies on others."


def _draw_without(source: Source, comparison: Comparison, example: Example) -> None:
    if source.twins is None or example.finding not in source.twins:
        return
    twin = source.twins[example.finding]
    name = example.finding.lower()
    pictures = (
        ("With", film_png(comparison.image), f"The film with its {name}."),
        ("Without", film_png(twin), f"The same film without its {name}."),
        (
            "What changed",
            film_png(twin, of=comparison.image),
            "The second film minus the first, 3 × as strong.",
        ),
    )
    *columns, beside = st.columns(4)
    for column, (title, picture, alt) in zip(columns, pictures, strict=True):
        with column:
            st.markdown(f"**{title}**")
            st.image(picture, width="stretch", output_format="PNG", alt=alt)
            terms.caption(alt)
    with beside:
        _draw_scores(source, comparison, example)


def _draw_scores(source: Source, comparison: Comparison, example: Example) -> None:
    terms.markdown("**The score, with → without**")
    titles = gallery.models()
    scores = scores_without(source, comparison, example.finding)
    for model, (before, after) in scores.items():
        st.markdown(f"{titles.get(model, model)}: {before:.2f} → **{after:.2f}**")
    terms.caption(
        "Same patient, position, noise and exposure: only the finding is gone. So this is the true effect of "
        "the finding on each score, and a map that points elsewhere did not show it. Real films have no such "
        "twin; that is why methods are judged on simulated ones first."
    )


def _toggle() -> None:
    st.session_state[_AWAY] = not st.session_state.get(_AWAY)


def _link(example: Example) -> list[tuple[str, str]]:
    methods = [("methods", method) for method in example.methods]
    return [("case", example.case), ("models", example.model), *methods, ("findings", example.finding)]
