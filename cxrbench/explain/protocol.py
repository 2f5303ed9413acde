"""``Method``: one call, many findings; and a method with its parameters, which can be written as text."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import torch
from torch import Tensor

from cxrbench.errors import InputError
from cxrbench.explain.context import Context, Need
from cxrbench.explain.display import upsample
from cxrbench.explain.parameters import NoParameters, parameters_of, read_parameters
from cxrbench.explain.passes import Compute, Passes
from cxrbench.explain.validation import check_inputs, finding_list, stage_name
from cxrbench.labels import finding_slug
from cxrbench.models import Classifier

__all__ = ["FAMILIES", "ConfiguredMethod", "Family", "Method", "configure", "with_values"]

Family = Literal["cam", "gradient", "perturbation", "attention", "control"]

# Family → its title, and what its methods do, in one sentence.
FAMILIES: Final[Mapping[Family, tuple[str, str]]] = {
    "cam": ("Class activation maps", "They weight the channels of a feature map; coarse and fast."),
    "gradient": ("Gradients", "They differentiate the logit with respect to the pixels; fine and noisy."),
    "perturbation": (
        "Perturbation",
        "They change parts of the image and observe the logit; they need no gradients, and many passes.",
    ),
    "attention": ("Attention", "They read the attention of a transformer; not applicable to other networks."),
    "control": ("Controls", "They do not explain the model: what a map must beat before it is praised."),
}


@dataclass(frozen=True)
class Method:
    """A row of ``METHODS``, read by menus, the command line, contract tests and the documentation.

    Args:
        name: key, used in links and on the command line.
        title: name as written in papers.
        family: a key of ``FAMILIES``.
        compute: the computation from passes and parameters, which yields drafts; the last is final.
        reference: arXiv or DOI; "" for a control.
        cost: number of forward and backward passes, in words.
        supports: model → None, or why the method does not apply to that model.
        caveat: what to consider when reading its maps.
        parameters: a frozen dataclass of its parameters (``parameters``).
        passes: (number of findings, parameters) → the time of the computation, roughly, in forward passes of
            the network; a backward pass counts as two.
        signed: whether both signs are drawn; otherwise the negative part is set to zero (ReLU).
        class_specific: whether its map depends on the finding.
        shares_passes: whether it uses passes that other methods of one call use too.
        deterministic: whether it draws no random numbers; otherwise a parameter ``seed`` fixes them.
        needs: what it needs of the context, a key of ``NEEDS``; None for nothing.
        same_when_pooled: whether its map is Σ_k g_k·A_k where the gradient is spatially constant; all such
            methods then give the same map.
        remark: (model, finding, parameters) → what to say in the cell of that finding, or "".
    """

    name: str
    title: str
    family: Family
    compute: Compute
    reference: str
    cost: str
    supports: Callable[[Classifier], str | None]
    caveat: str
    passes: Callable[[int, Any], float]
    parameters: type = NoParameters
    signed: bool = True
    class_specific: bool = True
    shares_passes: bool = False
    deterministic: bool = True
    needs: Need | None = None
    same_when_pooled: bool = False
    remark: Callable[[Classifier, int, Any], str] | None = None

    def price(self, findings: int, parameters: Any = None) -> str:
        """How long the maps of some findings take, from the number of passes: fast, seconds or minutes.

        On one core of a laptop a forward pass of the shipped models takes 0.05 to 0.25 s.

        Args:
            findings: number of findings.
            parameters: of the method; default: its defaults.
        """
        passes = self.passes(findings, parameters if parameters is not None else self.parameters())
        return "fast" if passes <= 5 else "seconds" if passes <= 300 else "minutes"

    @property
    def reads_stage(self) -> bool:
        """Whether it reads a feature map, so that a stage can be chosen."""
        return any(parameter.name == "stage" for parameter in parameters_of(self.parameters))

    def explain(
        self,
        model: Classifier,
        images: Tensor,
        findings: Tensor | Sequence[int],
        context: Context | None = None,
    ) -> Tensor:
        """Relevance (B, K, H, W) with the method's default parameters: signed, not normalised.

        Raises:
            InputError: the method does not apply to this model, or an argument is invalid.
        """
        check_inputs(model, images)
        known = context or Context()
        configured = ConfiguredMethod(self, self.name, self.parameters())
        configured.check(model, known)
        indices = torch.tensor(finding_list(model, findings))
        *_, final = self.compute(Passes(model, images, indices, known), configured.parameters)
        return upsample(final.maps, tuple(images.shape[2:]))


@dataclass(frozen=True)
class ConfiguredMethod:
    """A method with the values of its parameters.

    Args:
        record: the method.
        key: how it is written in settings, links and on the command line: ``rise``, ``rise(masks=2000)``.
        parameters: an instance of ``record.parameters``.
    """

    record: Method
    key: str
    parameters: Any

    @property
    def title(self) -> str:
        """Title of the method, with the parameters that its key states: “Grad-CAM (stage 1)”."""
        stated = _KEY.fullmatch(self.key)
        words = re.sub("[=_]", " ", (stated["values"] or "").replace(",", ", ")) if stated else ""
        return f"{self.record.title} ({words})" if words else self.record.title

    def problem(self, model: Classifier, context: Context | None = None) -> str | None:
        """Why the method with these parameters does not apply to a model; None where it does.

        Args:
            model: the model.
            context: what is known of the images; default: as if everything that the method needs were known.
        """
        problem = self.record.supports(model)
        if problem is None and context is not None:
            problem = context.problem(self.record.needs)
        stage = getattr(self.parameters, "stage", 0)
        if problem is None and self.record.reads_stage and stage >= len(model.stages):
            return (
                f"counted from the last, this network's stages go from 0 to {len(model.stages) - 1}, "
                f"not to {stage}"
            )
        return problem or self._missing_finding(model)

    def _missing_finding(self, model: Classifier) -> str | None:
        known = {finding_slug(label) for label in model.spec.labels}
        for parameter in parameters_of(self.record.parameters):
            value = getattr(self.parameters, parameter.name)
            if parameter.finding and value not in {*parameter.options, *known}:
                return f"{parameter.name} is {value}, and {model.spec.name} has no such finding"
        return None

    def check(self, model: Classifier, context: Context) -> None:
        """Check that the method applies to a model and to images of which this is known.

        Raises:
            InputError: it does not.
        """
        if problem := self.problem(model, context):
            raise InputError(f"{self.title} does not apply here: {problem}.")

    def stage(self, model: Classifier) -> str | None:
        """Name of the stage whose feature map is read; None where none is."""
        return stage_name(model, self.parameters.stage) if self.record.reads_stage else None


_KEY: Final = re.compile(r"(?P<name>\w+)(?:\((?P<values>[^()]*)\))?")


def with_values(key: str, values: Mapping[str, str]) -> str:
    """A method's key with further parameters stated: ``rise``, ``{"masks": "9"}`` → ``rise(masks=9)``."""
    name, _, stated = key.partition("(")
    parts = [*filter(None, stated.rstrip(") ").split(",")), *(f"{k}={v}" for k, v in values.items())]
    return f"{name}({','.join(parts)})" if parts else key


def configure(key: str, methods: Mapping[str, Method], shared: Mapping[str, object]) -> ConfiguredMethod:
    """Read a method with its parameters, such as ``integrated_gradients(steps=300)``.

    Args:
        key: name of a method, with the parameters that differ from the others' in parentheses.
        methods: name → method.
        shared: parameters for every method that has them; those in the key take precedence.

    Returns:
        The method, with its key in canonical form: parameters in the order of their declaration.

    Raises:
        InputError: an unknown method or parameter, or an invalid value.
    """
    # Spaces around the signs are ignored; a value may be a finding of several words.
    match = _KEY.fullmatch(re.sub(r"\s*([(),=])\s*", r"\1", key.strip()))
    if match is None:
        raise InputError(
            f"A method is written as name or name(parameter=value,…); got {key!r:.80}: "
            "'cxrbench methods' lists them."
        )
    if match["name"] not in methods:
        raise InputError(f"Unknown method {match['name']!r:.80}; choose from: {', '.join(methods)}.")
    record = methods[match["name"]]
    own: dict[str, object] = {}
    for part in filter(None, (match["values"] or "").split(",")):
        name, _, value = part.partition("=")
        own[name] = value
    known = [parameter.name for parameter in parameters_of(record.parameters)]
    general = {name: value for name, value in shared.items() if name in known}
    parameters: Any = read_parameters(record.parameters, {**general, **own}, record.title)
    stated = ",".join(f"{name}={getattr(parameters, name)}" for name in known if name in own)
    return ConfiguredMethod(record, f"{record.name}({stated})" if stated else record.name, parameters)
