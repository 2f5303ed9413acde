"""``Method``: one call, many findings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from cxrbench.errors import InputError
from cxrbench.explain.asked import check, finding_list, stage_name
from cxrbench.explain.display import upsample
from cxrbench.explain.passes import Compute, Passes
from cxrbench.models import Classifier

__all__ = ["Method"]


@dataclass(frozen=True)
class Method:
    """A row of ``METHODS``: what menus, the CLI, contract tests and the documentation read.

    Args:
        name: the key, as in links and on the command line.
        title: as papers write it.
        family: what the method reads.
        compute: the method at work, drafts first where it is progressive.
        reference: arXiv or DOI.
        cost: what it takes, in forward and backward passes.
        reads_stage: it reads a feature map, so a stage may be chosen.
        class_specific: its map depends on the finding asked.
        supports: None, or the sentence why this method does not apply to that model.
        caveat: what to keep in mind when reading its maps.
        same_when_pooled: where the gradient is spatially constant its map is Σ_k g_k·A_k, so all methods of
            which this is true draw the same.
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
            InputError: the method does not apply to this model, or anything asked that cannot be.
        """
        check(model, images)
        if problem := self.supports(model):
            raise InputError(f"{self.title} does not apply here: {problem}.")
        asked = torch.tensor(finding_list(model, findings))
        *_, final = self.compute(Passes(model, images, asked, stage_name(model)))
        return upsample(final.maps, tuple(images.shape[2:]))
