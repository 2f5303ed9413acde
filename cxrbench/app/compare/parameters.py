"""Controls for the parameters of the chosen methods, beside those that all methods share."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import streamlit as st

from cxrbench.app.compare.selection import Choice
from cxrbench.app.widgets.versions import current_key, renew
from cxrbench.labels import finding_slug

if TYPE_CHECKING:
    from cxrbench.explain import MethodParameter

__all__ = ["pick_parameters"]

_SHARED: Final = ("stage", "baseline", "steps")  # of all methods; the Compare page has one control for each


def pick_parameters(keys: Sequence[str], findings: Sequence[str] = ()) -> None:
    """Draw the parameters that each method has of its own; a changed one is stated in the method's key.

    Args:
        keys: of the chosen methods.
        findings: names of the findings that the chosen models predict, for parameters that take one.
    """
    from cxrbench.explain import configured_method, parameters_of

    for key in keys:
        configured = configured_method(key)
        own = [each for each in parameters_of(configured.record.parameters) if each.name not in _SHARED]
        if own:
            st.markdown(f"**{configured.record.title}**")
        for parameter in own:
            value = getattr(configured.parameters, parameter.name)
            _pick(key, parameter, value, findings if parameter.finding else ())


def _pick(key: str, parameter: "MethodParameter", value: float | str, findings: Sequence[str]) -> None:
    widget = current_key(f"pick_parameter {key} {parameter.name}")
    label = parameter.name.replace("_", " ").capitalize()
    unit = f" Unit: {parameter.unit}." if parameter.unit else ""
    st.session_state.setdefault(widget, value)
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

    value = st.session_state[widget]
    new = configured_method(with_values(key, {name: str(value)})).key
    choice: Choice = st.session_state["choice"]
    methods = tuple(dict.fromkeys(new if each == key else each for each in choice.methods))
    st.session_state["choice"] = replace(choice, methods=methods)
    renew("pick_methods")
