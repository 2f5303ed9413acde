"""Which class of captum and pytorch-grad-cam computes what a method here does, and how far the maps differ.

``cxrbench verify`` and the tests read the table. This module imports captum; pytorch-grad-cam is imported
only where its maps are computed.
"""

import importlib.util
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import partial
from typing import Final

import torch
from torch import Tensor

from cxrbench.explain import peer_maps as maps
from cxrbench.explain import peer_rules, peer_samples
from cxrbench.explain.methods import METHODS
from cxrbench.explain.peer_maps import CHANNELS, NOISE, SAMPLES, STEPS, PeerInput
from cxrbench.explain.run import explain
from cxrbench.explain.validation import stage_name
from cxrbench.models import Classifier

__all__ = ["CAPTUM", "NO_PEER", "PEERS", "PYTORCH_GRAD_CAM", "Difference", "Peer", "differences", "installed"]

CAPTUM: Final = "captum"
PYTORCH_GRAD_CAM: Final = "pytorch-grad-cam"
_MODULES: Final = {CAPTUM: "captum", PYTORCH_GRAD_CAM: "pytorch_grad_cam"}

# Where rounding matters more: ReLU inputs near zero may change sign between kernels, and small differences of
# logits lose digits. A quarter of the smallest step that a picture of 8 bits can show.
_COARSE: Final = 1e-3


@dataclass(frozen=True)
class Peer:
    """A class of another library that computes the map of a method here.

    Args:
        package: name of the library.
        function: name of its class, as in its documentation.
        attribute: input → its map (h, w), before any post-processing.
        parameters: of the method here: text in the parentheses of its key; ``{half}`` and ``{quarter}``
            are parts of the image's side.
        tolerance: largest difference that rounding explains, relative to the map's largest magnitude.
        channels_last: whether it gets weights with channels last in memory, as gradients of images do here.
        maps_only: whether it is right only for feature maps (B, C, h, w), not for NHWC and tokens.
        up_to_sign: whether its sign is arbitrary.
    """

    package: str
    function: str
    attribute: Callable[[PeerInput], Tensor]
    parameters: str = ""
    tolerance: float = 1e-5
    channels_last: bool = False
    maps_only: bool = False
    up_to_sign: bool = False

    def applies(self, model: Classifier) -> bool:
        """Whether it can explain this model correctly."""
        return not self.maps_only or model.architecture.layout == "NCHW"


@dataclass(frozen=True)
class Difference:
    """How far the maps of a method here are from those of a peer.

    Args:
        model: name of the model.
        method: key of the method, with its parameters.
        package: name of the peer's library.
        function: name of its class.
        value: the largest difference over findings, relative to the largest magnitude of the peer's map.
        tolerance: the largest difference that counts as rounding.
    """

    model: str
    method: str
    package: str
    function: str
    value: float
    tolerance: float

    @property
    def within(self) -> bool:
        """Whether the difference is within the tolerance; False where it is NaN."""
        return self.value <= self.tolerance


def installed(library: str) -> bool:
    """Whether a library can be imported."""
    return importlib.util.find_spec(_MODULES[library]) is not None


def differences(
    model: Classifier,
    image: Tensor,
    findings: Sequence[int],
    *,
    methods: Sequence[str] | None = None,
    libraries: Sequence[str] = (CAPTUM, PYTORCH_GRAD_CAM),
    stage: str | int | None = None,
) -> Iterator[Difference]:
    """Compare methods with their peers, on one image and model; the model is not changed.

    In double precision: formulas that divide by small sums enlarge rounding, which would look like a
    difference.

    Args:
        model: in eval mode.
        image: preprocessed, (1, C, H, W); its side a multiple of 4.
        findings: indices among the model's labels.
        methods: keys of ``PEERS``; default: all that apply to the model.
        libraries: which libraries; they must be installed.
        stage: of methods that read a feature map: name, or index counted from the last (0).

    Yields:
        One difference per method and peer, as soon as it is known.
    """
    plain = deepcopy(model).double()
    channels_last = deepcopy(plain).to(memory_format=torch.channels_last)
    model, image, name = plain, image.double(), stage_name(model, stage)
    for method in methods if methods is not None else PEERS:
        for peer in PEERS[method]:
            if peer.package not in libraries or not peer.applies(model) or METHODS[method].supports(model):
                continue
            stated = peer.parameters.format(half=image.shape[2] // 2, quarter=image.shape[2] // 4)
            key = f"{method}({stated})" if stated else method
            *_, ours = explain(model, image, findings, [key], stage=name)
            copy = channels_last if peer.channels_last else plain
            with warnings.catch_warnings():
                # Captum warns where it registers hooks, which it does on a copy of the model.
                warnings.filterwarnings("ignore", message=r"(?s).*(required_grads|backward hooks).*")
                theirs = [peer.attribute(PeerInput(copy, image, finding, name)) for finding in findings]
            values = [_difference(*pair, peer) for pair in zip(ours.maps[0], theirs, strict=True)]
            worst = float(torch.tensor(values).max())  # NaN wins, as it should
            yield Difference(model.spec.name, key, peer.package, peer.function, worst, peer.tolerance)


def _difference(ours: Tensor, theirs: Tensor, peer: Peer) -> float:
    signs = (1, -1) if peer.up_to_sign else (1,)
    top = float(theirs.abs().max())
    largest = min(float((ours - sign * theirs).abs().max()) for sign in signs)
    return largest / top if top else largest and torch.inf


_captum = partial(Peer, CAPTUM)
_pixels = partial(Peer, CAPTUM, tolerance=_COARSE, channels_last=True)
_pytorch_grad_cam = partial(Peer, PYTORCH_GRAD_CAM)
_INTEGRATED: Final = f"steps={STEPS}"
_SUPERPIXELS: Final = f"segments={peer_samples.SEGMENTS},samples={peer_samples.ROWS}"
_NOISY: Final = f"samples={SAMPLES},noise={NOISE}"

# Key of a method → its peers.
PEERS: Final[Mapping[str, tuple[Peer, ...]]] = {
    "grad_cam": (
        _captum("LayerGradCam", maps.grad_cam, maps_only=True),
        _pytorch_grad_cam("GradCAM", partial(maps.raw_cam, "GradCAM")),
    ),
    "grad_cam_plus_plus": (
        _pytorch_grad_cam(
            "GradCAMPlusPlus", partial(maps.raw_cam, "GradCAMPlusPlus", scale_a=1e-6, scale_g=1e6)
        ),
    ),
    "hires_cam": (
        _captum("LayerGradientXActivation", maps.gradient_times_activation, maps_only=True),
        _pytorch_grad_cam("HiResCAM", partial(maps.raw_cam, "HiResCAM")),
    ),
    "xgrad_cam": (_pytorch_grad_cam("XGradCAM", partial(maps.raw_cam, "XGradCAM", scale_a=1e6)),),
    "layer_cam": (_pytorch_grad_cam("LayerCAM", partial(maps.raw_cam, "LayerCAM")),),
    "cam": (_captum("LayerGradCam", maps.grad_cam, maps_only=True),),
    "eigen_cam": (_pytorch_grad_cam("EigenCAM", partial(maps.raw_cam, "EigenCAM"), up_to_sign=True),),
    "score_cam": (_pytorch_grad_cam("ScoreCAM", maps.score_cam, parameters=f"channels={CHANNELS}"),),
    "ablation_cam": (
        _pixels("LayerFeatureAblation", maps.ablation_cam, parameters=f"channels={CHANNELS}", maps_only=True),
    ),
    "finer_cam": (_pytorch_grad_cam("FinerCAM", maps.finer_cam),),
    # Of Grad-CAM++ the product is often empty, and a comparison of empty maps says nothing.
    "refine_cam": (_pytorch_grad_cam("GradCAM, multiplied", maps.refine_cam, parameters="base=grad_cam"),),
    "saliency": (_pixels("Saliency", maps.saliency),),
    "input_times_gradient": (_pixels("InputXGradient", maps.input_times_gradient),),
    "smooth_grad": (_pixels("Saliency", lambda case: maps.noisy_gradients(case).mean(0), parameters=_NOISY),),
    "var_grad": (
        _pixels("Saliency", lambda case: maps.noisy_gradients(case).var(0, correction=0), parameters=_NOISY),
    ),
    "integrated_gradients": (
        _pixels("IntegratedGradients", maps.integrated_gradients, parameters=_INTEGRATED),
    ),
    "grad_cam_integrated_gradients": (
        _pixels(
            "IntegratedGradients × LayerGradCam",
            maps.guided_integrated_gradients,
            parameters=_INTEGRATED,
            maps_only=True,
        ),
    ),
    "guided_backprop": (_pixels("GuidedBackprop", peer_rules.guided_backprop),),
    "deep_lift": (_pixels("DeepLift", peer_rules.deep_lift),),
    "guided_grad_cam": (
        _pixels("GuidedBackprop × LayerGradCam", peer_rules.guided_grad_cam, maps_only=True),
    ),
    "occlusion": (_pixels("Occlusion", maps.occlusion, parameters="window={half},stride={quarter}"),),
    "gradient_shap": (_pixels("Saliency", peer_samples.gradient_shap, parameters=f"samples={SAMPLES}"),),
    "lime": (_pixels("Lime", peer_samples.lime, parameters=_SUPERPIXELS),),
    "kernel_shap": (_pixels("KernelShap", peer_samples.kernel_shap, parameters=_SUPERPIXELS),),
}

_NEITHER: Final = "neither library has it; tested against"
_NO_MODEL: Final = "it does not explain the model, and neither library has it"

# Key of a method without peers → why there is none.
NO_PEER: Final[Mapping[str, str]] = {
    "recipro_cam": f"{_NEITHER} numbers worked out by hand",
    "twin_integrated_gradients": "it needs a film without the finding; tested against integrated gradients "
    "from that film, which are compared",
    "expected_gradients": "other random numbers than captum's; tested against exact values",
    "rise": f"{_NEITHER} a loop over its masks",
    "attention_rollout": f"{_NEITHER} a loop over blocks and numbers worked out by hand",
    "gradient_rollout": f"{_NEITHER} a loop over blocks and numbers worked out by hand",
    "legrad": f"{_NEITHER} a loop over blocks and numbers worked out by hand",
    "random": _NO_MODEL,
    "centred_gaussian": _NO_MODEL,
    "edges": _NO_MODEL,
    "lung_mask": _NO_MODEL,
    "location_prior": _NO_MODEL,
}
