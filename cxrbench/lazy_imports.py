"""Names of a package that are imported on first use, so that importing the package stays fast."""

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

__all__ = ["lazy_getattr"]


def lazy_getattr(
    package: str, names: Mapping[str, str], modules: Sequence[str] = ()
) -> Callable[[str], object]:
    """A ``__getattr__`` for a package's ``__init__`` (PEP 562).

    Type checkers cannot follow it: import the same names under ``TYPE_CHECKING``, too.

    Args:
        package: its ``__name__``.
        names: name → the module below the package that defines it.
        modules: names that are modules of the package themselves.

    Returns:
        The function to assign to ``__getattr__``. What it has found once becomes an attribute of the package.
    """

    def attribute(name: str) -> object:
        if name in modules:
            return import_module(f"{package}.{name}")
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{names[name]}"), name)
        setattr(sys.modules[package], name, value)
        return value

    return attribute
