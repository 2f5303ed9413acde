"""``cxrbench methods``: list the explanation methods."""

import argparse

from cxrbench.explain import FAMILIES, METHODS, MethodParameter, parameters_of

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Print one line per method: name, title, family, parameters, reference, caveat; separated by tabs."""
    for method in METHODS.values():
        parameters = ", ".join(map(_described, parameters_of(method.parameters))) or "no parameters"
        family = FAMILIES[method.family][0]
        fields = (method.name, method.title, family, parameters, method.reference or "–", method.caveat)
        print("\t".join(fields))
    return 0


def _described(parameter: MethodParameter) -> str:
    """Such as ``masks=1000 (2 to 20000)``: the default and what else is possible."""
    if parameter.options:
        choices = " | ".join((*parameter.options, *(["a finding of the model"] if parameter.finding else [])))
        return f"{parameter.name}={parameter.default} ({choices})"
    return f"{parameter.name}={parameter.default:g} ({parameter.low:g} to {parameter.high:g})"
