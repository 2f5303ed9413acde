"""Controls for the parameters of the chosen methods, beside those that all methods share."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from cxrbench.app.compare.method_picker import take_methods
from cxrbench.app.compare.presets import another_setting
from cxrbench.app.compare.selection import Choice
from cxrbench.app.widgets.versions import current_key
from cxrbench.labels import finding_slug

if TYPE_CHECKING:
    from cxrbench.explain import MethodParameter

__all__ = ["pick_parameters"]

_SHARED: Final = ("stage", "baseline", "steps")  # of all methods; the Compare page has one control for each


def pick_parameters(keys: Sequence[str], findings: Sequence[str] = ()) -> None:
    """Draw the parameters that each method has of its own; a changed one is stated in the method's key.

    Each method can be added once more, at another setting, which then has its own controls.

    Args:
        keys: of the chosen methods.
        findings: names of the findings that the chosen models predict, for parameters that take one.
    """
    from cxrbench.explain import configured_method, parameters_of

    for key in keys:
        configured = configured_method(key)
        parameters = parameters_of(configured.record.parameters)
        if not parameters:
            continue
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{configured.title}**", width="stretch")
            st.button(
                "Add a copy",
                key=f"another {key}",
                type="tertiary",
                icon=":material/add:",
                width=140,
                help="The same method once more, at another setting, which can be changed here.",
                on_click=_add,
                args=(key,),
            )
        if (nodes := getattr(configured.parameters, "nodes", 0)) and configured.parameters.tolerance:
            price = configured.record.price(1, configured.parameters)
            st.caption(f"Typically {nodes} points on the path, then it ends by itself ({price} per finding).")
        for parameter in parameters:
            if parameter.name not in _SHARED or re.search(rf"[(,]{parameter.name}=", key):
                value = getattr(configured.parameters, parameter.name)
                _pick(key, parameter, value, findings if parameter.finding else ())


def _pick(key: str, parameter: "MethodParameter", value: float | str, findings: Sequence[str]) -> None:
    widget = current_key(f"pick_parameter {key} {parameter.name}")
    label = parameter.name.replace("_", " ").capitalize()
    unit = f" Unit: {parameter.unit}." if parameter.unit else ""
    # Set at every run: a browser that missed the first one would show the lowest value.
    st.session_state[widget] = st.session_state.get(widget, value)
    arguments: Any = {
        "key": widget,
        "help": parameter.about + unit,
        "on_change": _take,
        "args": (widget, key, parameter.name),
    }
    if parameter.options:
        names = {each: each for each in parameter.options}
        names |= {finding_slug(name): name for name in findings}
        names.setdefault(str(value), str(value))  # a link may name a finding that the chosen models lack
        st.selectbox(label, list(names), format_func=names.__getitem__, **arguments)
        return
    kind = float if isinstance(parameter.default, float) else int
    low, high = (kind(each) for each in (parameter.low, parameter.high) if each is not None)
    st.number_input(label, low, high, **arguments)


def _take(widget: str, key: str, name: str) -> None:
    """Put the method with the new value in the place of the old one, and let the controls show it."""
    from cxrbench.explain import configured_method, with_values

    new = configured_method(with_values(key, {name: str(st.session_state[widget])})).key
    take_methods([new if each == key else each for each in _choice().methods])


def _add(key: str) -> None:
    """Select a method once more, at a setting that is not selected yet, behind the one that is."""
    choice = _choice()
    new = another_setting(key, choice.methods, choice.settings)
    if new is not None:
        place = choice.methods.index(key) + 1
        take_methods([*choice.methods[:place], new, *choice.methods[place:]])


def _choice() -> Choice:
    choice: Choice = st.session_state["choice"]
    return choice
