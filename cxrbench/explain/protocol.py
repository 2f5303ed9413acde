"""``Method``: one call, many findings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from cxrbench.errors import InputError
from cxrbench.explain.display import upsample
from cxrbench.explain.passes import Compute, Passes
from cxrbench.explain.validation import check_inputs, finding_list, stage_name
from cxrbench.models import Classifier

__all__ = ["Method"]


@dataclass(frozen=True)
class Method:
    """A row of ``METHODS``, read by menus, the command line, contract tests and the documentation.

    Args:
        name: key, used in links and on the command line.
        title: name as written in papers.
        family: what the method differentiates: a feature map's activations (``cam``) or the input.
        compute: the computation, which yields drafts; the last is final.
        reference: arXiv or DOI.
        cost: number of forward and backward passes.
        reads_stage: whether it reads a feature map, so that a stage can be chosen.
        class_specific: whether its map depends on the finding.
        supports: model → None, or why the method does not apply to that model.
        caveat: what to consider when reading its maps.
        same_when_pooled: whether its map is Σ_k g_k·A_k where the gradient is spatially constant; all such
            methods then give the same map.
    """

    name: str
    title: str
    family: Literal["cam", "gradient"]
    compute: Compute
    reference: str
    cost: str
    reads_stage: bool
    class_specific: bool
    supports: Callable[[Classifier], str | None]
    caveat: str
    same_when_pooled: bool = False

    def explain(self, model: Classifier, images: Tensor, findings: Tensor | Sequence[int]) -> Tensor:
        """Relevance (B, K, H, W) at the last stage and with the method's defaults: signed, not normalised.

        Raises:
            InputError: the method does not apply to this model, or an argument is invalid.
        """
        check_inputs(model, images)
        if problem := self.supports(model):
            raise InputError(f"{self.title} does not apply to this model: {problem}.")
        indices = torch.tensor(finding_list(model, findings))
        *_, final = self.compute(Passes(model, images, indices, stage_name(model)))
        return upsample(final.maps, tuple(images.shape[2:]))
