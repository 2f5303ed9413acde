"""Selections of methods that are made with one click, and copies of a method at another setting."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cxrbench.app.services import model_registry
from cxrbench.app.services.radiographs import Source
from cxrbench.compare import Settings

if TYPE_CHECKING:
    from cxrbench.explain import ConfiguredMethod, MethodParameter

__all__ = ["AUTOMATIC", "FIXED", "Preset", "another_setting", "as_default", "presets"]

FIXED: Final = "integrated_gradients"
# Integrated gradients as computed by default: until the map adds up to the change of the logit within 1 %.
AUTOMATIC: Final = f"{FIXED}(tolerance=0.01)"

_THREE: Final = ("grad_cam", "grad_cam_plus_plus", FIXED)
# Of each family the method that is known best; others of the family where it is not applicable.
_BEST_KNOWN: Final[tuple[str, ...]] = (
    "grad_cam",
    FIXED,
    "occlusion",
    "gradient_rollout",
    "location_prior",
    "centred_gaussian",
)
_FINER: Final = (
    "refine_cam(base=grad_cam)",  # Grad-CAM++ of signed activations is often nowhere positive at some stage
    "layer_cam(stage=1)",
    "grad_cam(stage=1)",
    "guided_grad_cam",
    "grad_cam_integrated_gradients",
    "legrad",
)
_CHANGES: Final = 8  # settings that are tried for a copy


@dataclass(frozen=True)
class Preset:
    """A selection of methods.

    Args:
        title: on its button.
        methods: keys of the methods that apply to a selected model; empty if there are none.
        about: one sentence.
    """

    title: str
    methods: tuple[str, ...]
    about: str


def presets(models: Sequence[str], radiograph: Source) -> list[Preset]:
    """The selections that are offered for some models, once these are loaded.

    Args:
        models: names of the selected models.
        radiograph: the radiograph that is shown.
    """
    from cxrbench.explain import METHODS

    controls = [name for name, record in METHODS.items() if record.family == "control"]
    offered = [
        Preset(
            "The three of the paper",
            _THREE,
            "Grad-CAM, Grad-CAM++ and integrated gradients: the methods that the review compares.",
        ),
        Preset("One of each family", _one_per_family(models), "The best known method of every family."),
        Preset("Finer maps", _FINER, "Maps on finer grids than the last stage's."),
        Preset("Controls", tuple(controls), "What a map must beat before it is praised."),
        Preset(
            "All stages", _all_stages(models), "Grad-CAM at every stage of the network, the last one first."
        ),
    ]
    found = [
        Preset(each.title, as_default(_applicable(each.methods, models), radiograph), each.about)
        for each in offered
    ]
    return [each for each in found if each.methods]


def as_default(keys: Sequence[str], radiograph: Source) -> tuple[str, ...]:
    """Integrated gradients end by themselves where their maps are not stored with the radiograph."""
    if radiograph.precomputed is not None:
        return tuple(keys)
    return tuple(AUTOMATIC if key == FIXED else key for key in keys)


def another_setting(key: str, taken: Sequence[str], settings: Settings) -> str | None:
    """A method's key at a setting that is not there yet; None if it has no parameters.

    Args:
        key: of the method.
        taken: keys that are selected.
        settings: the parameters that methods share.
    """
    from cxrbench.explain import configured_method, parameters_of

    shared = {"stage": settings.stage, "baseline": settings.baseline, "steps": settings.steps}
    configured = configured_method(key, **shared)
    for parameter in parameters_of(configured.record.parameters):
        for value in _other_values(parameter, getattr(configured.parameters, parameter.name)):
            new = _with_value(configured, parameter.name, value)
            if new not in taken:
                return new
    return None


def _other_values(parameter: "MethodParameter", value: Any) -> list[Any]:
    """Values of a parameter other than this one, those that are nearest in use first."""
    if parameter.options:
        return [option for option in parameter.options if option != value]
    small = isinstance(parameter.default, int) and parameter.high is not None and parameter.high < 10
    steps = [value + step for step in range(1, _CHANGES)] if small else [value * 2, value * 4, value / 2]
    kind = type(parameter.default)
    low = parameter.low if parameter.low is not None else -float("inf")
    high = parameter.high if parameter.high is not None else float("inf")
    return [kind(step) for step in steps if low <= step <= high and kind(step) != value]


def _with_value(configured: "ConfiguredMethod", name: str, value: Any) -> str:
    from cxrbench.explain import configured_method, with_values

    return configured_method(with_values(configured.key, {name: str(value)})).key


def _one_per_family(models: Sequence[str]) -> tuple[str, ...]:
    from cxrbench.explain import FAMILIES, METHODS

    known = {name: record.family for name, record in METHODS.items()}
    ordered = [name for name in _BEST_KNOWN if name in known]
    ordered += [name for name in known if name not in ordered]
    found: list[str] = []
    for family in FAMILIES:
        found += _applicable([name for name in ordered if known[name] == family], models)[:1]
    return tuple(found)


def _all_stages(models: Sequence[str]) -> tuple[str, ...]:
    loaded = model_registry.loaded().models
    count = max((len(loaded[name].stages) for name in models if name in loaded), default=0)
    return tuple(f"grad_cam(stage={stage})" for stage in range(count))


def _applicable(keys: Sequence[str], models: Sequence[str]) -> tuple[str, ...]:
    """The methods of this version that apply to one of the models at least."""
    from cxrbench.explain import METHODS, configured_method

    loaded = model_registry.loaded().models
    shown = [loaded[name] for name in models if name in loaded]
    configured = [configured_method(key) for key in keys if key.split("(")[0] in METHODS]
    return tuple(
        each.key for each in configured if not shown or any(each.problem(model) is None for model in shown)
    )
