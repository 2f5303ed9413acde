"""The menu of methods: by family, with what each family does and how long a method takes, and presets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import streamlit as st

from cxrbench.app.compare.options import method_labels
from cxrbench.app.compare.presets import AUTOMATIC, FIXED, Preset, presets
from cxrbench.app.compare.selection import Choice
from cxrbench.app.services import model_registry
from cxrbench.app.services.radiographs import Source
from cxrbench.app.widgets.versions import current_key, renew_all

__all__ = ["METHOD_PILLS", "pick_methods", "take_methods"]

METHOD_PILLS: Final = "pick_methods"  # the names of all pills with methods begin with it


@dataclass(frozen=True)
class _Group:
    """Methods that stand together: name of their pills, heading, keys."""

    name: str
    heading: str
    keys: tuple[str, ...]


def pick_methods(
    titles: Mapping[str, str], chosen: Sequence[str], models: Sequence[str], radiograph: Source
) -> tuple[str, ...]:
    """Draw the menu and return the selected methods, a method's settings side by side.

    Args:
        titles: key → title of every method that can be selected, in order.
        chosen: the selection so far.
        models: names of the selected models.
        radiograph: the radiograph that is shown.
    """
    groups = _groups(_offered(titles, chosen, radiograph), radiograph)
    picked = {group.name: _picked(group, chosen) for group in groups}
    if not any(picked.values()):  # one stays selected
        picked = {group.name: [key for key in group.keys if key in chosen] for group in groups}
    labels = method_labels(titles)
    with st.popover(f"Methods: {sum(map(len, picked.values()))}", key="open_pick_methods", width="content"):
        if radiograph.computes and model_registry.ready():
            _draw_presets(presets(models, radiograph))
        for group in groups:
            key = current_key(group.name)
            st.session_state[key] = picked[group.name]
            if group.heading:
                st.markdown(group.heading)
            st.pills(
                group.name,
                group.keys,
                selection_mode="multi",
                format_func=lambda name: labels.get(name, name),
                key=key,
                label_visibility="collapsed",
            )
    names = [key for group in groups for key in st.session_state[current_key(group.name)]]
    order = list(titles)
    # While models are loading there are no titles: keep the selection.
    return tuple(sorted(names, key=lambda key: _rank(key, order))) or tuple(chosen)


def take_methods(methods: Sequence[str]) -> None:
    """Select methods, and let the menu show them."""
    choice: Choice = st.session_state["choice"]
    st.session_state["choice"] = replace(choice, methods=tuple(dict.fromkeys(methods)))
    renew_all(prefix=METHOD_PILLS)


def _draw_presets(offered: Sequence[Preset]) -> None:
    with st.container(horizontal=True, key="presets"):
        for preset in offered:
            st.button(
                preset.title,
                key=f"preset {preset.title}",
                width=46 + 8 * len(preset.title),  # by its content it would be cut short
                help=preset.about,
                on_click=take_methods,
                args=(preset.methods,),
            )


def _offered(titles: Mapping[str, str], chosen: Sequence[str], radiograph: Source) -> list[str]:
    """The keys in the menu; integrated gradients that end by themselves take the place of a fixed number."""
    stored = radiograph.precomputed is not None or FIXED in chosen or not model_registry.ready()
    keys = [AUTOMATIC if key == FIXED and not stored else key for key in titles]
    return list(dict.fromkeys(keys))


def _groups(keys: Sequence[str], radiograph: Source) -> list[_Group]:
    if not radiograph.computes or not model_registry.ready():  # families would import torch
        return [_Group(METHOD_PILLS, "", tuple(keys))]
    from cxrbench.explain import FAMILIES, METHODS

    families = {key: METHODS[key.split("(")[0]].family for key in keys}
    return [
        _Group(f"{METHOD_PILLS} {family}", f"**{title}.** {sentence}", members)
        for family, (title, sentence) in FAMILIES.items()
        if (members := tuple(key for key in keys if families[key] == family))
    ]


def _picked(group: _Group, chosen: Sequence[str]) -> list[str]:
    return [key for key in st.session_state.get(current_key(group.name), chosen) if key in group.keys]


def _rank(key: str, order: Sequence[str]) -> tuple[int, int]:
    """Position of the method, then of its setting."""
    base = key.split("(")[0]
    return order.index(base) if base in order else len(order), order.index(key) if key in order else -1
