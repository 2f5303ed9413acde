"""The attention methods in ``METHODS``."""

from functools import partial
from typing import Final

from cxrbench.explain import attention
from cxrbench.explain.protocol import Method
from cxrbench.models.attention import attention_problem

__all__ = ["ATTENTIONS"]

_attention = partial(Method, family="attention", supports=attention_problem, signed=False, shares_passes=True)

ATTENTIONS: Final = (
    _attention(
        name="attention_rollout",
        title="Attention rollout",
        compute=attention.attention_rollout,
        reference="arXiv:2005.00928",
        cost="one forward pass",
        passes=lambda findings, parameters: 1.5,
        parameters=attention.RolloutParameters,
        class_specific=False,
        caveat="Not specific to a finding: where the network looks, whatever it concludes.",
    ),
    _attention(
        name="gradient_rollout",
        title="Gradient-weighted rollout",
        compute=attention.gradient_rollout,
        reference="arXiv:2103.15679",
        cost="one forward pass; one backward pass per finding",
        passes=lambda findings, parameters: 1.5 + 2 * findings,
        parameters=attention.BlockParameters,
        caveat="Reads only attention that raises the score; ignores the values that are attended to.",
    ),
    _attention(
        name="legrad",
        title="LeGrad",
        compute=attention.legrad,
        reference="arXiv:2404.03214",
        cost="one forward pass; one backward pass of single blocks per finding",
        passes=lambda findings, parameters: 1.5 + findings,
        parameters=attention.LegradParameters,
        caveat="Asks what more attention would change, not what the present attention contributed; "
        "the head never saw the output of earlier blocks.",
    ),
)
