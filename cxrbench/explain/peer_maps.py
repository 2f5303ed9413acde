"""Maps of captum and pytorch-grad-cam, called such that their known deviations do not enter.

The other libraries register hooks and write gradients into parameters, so they get a private copy of the
model. How they deviate is in docs/peers.md; here

* maps are raw: before pytorch-grad-cam's ReLU, rescaling and enlarging, on the method's own grid;
* pytorch-grad-cam's Grad-CAM++ adds 1e-6 to a denominator of the order of g², which in a network is about
  1e-6 itself, and its XGrad-CAM adds 1e-7 to ΣA, which may cancel. Equation 19 does not change when A is
  divided by what g is multiplied by, and XGrad-CAM is proportional to A. So its formulas are given A and g
  scaled until the constants are negligible, in double precision;
* its Score-CAM enlarges masks with aligned corners, so it is given masks of the image's size;
* gradients of images run channels last here, where convolutions sum in another order. In single precision
  this changes the sign of some ReLU inputs near zero, and changes captum's own maps as much. So captum is
  given weights in the same memory layout.
"""

import contextlib
import io
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
from captum import attr as captum
from torch import Tensor, nn

from cxrbench.explain.display import heatmap, upsample
from cxrbench.explain.finer_cam import closest_findings
from cxrbench.explain.gradient import baseline_images
from cxrbench.models import Classifier

__all__ = [
    "CHANNELS",
    "NOISE",
    "SAMPLES",
    "STEPS",
    "PeerInput",
    "ablation_cam",
    "finer_cam",
    "grad_cam",
    "gradient_times_activation",
    "guided_integrated_gradients",
    "input_times_gradient",
    "integrated_gradients",
    "noisy_gradients",
    "occlusion",
    "raw_cam",
    "refine_cam",
    "saliency",
    "score_cam",
    "summed",
]

# Parameters of the methods here that the peers are called with: few, so that a comparison takes seconds.
CHANNELS: Final = 12  # of the feature map, where a method takes one pass per channel
STEPS: Final = 8
SAMPLES: Final = 4
NOISE: Final = 0.1


@dataclass(frozen=True)
class PeerInput:
    """What a peer explains.

    Args:
        model: a copy that the peer may change.
        image: preprocessed, (1, C, H, W).
        finding: index of the finding.
        stage: name of the stage.
    """

    model: Classifier
    image: Tensor
    finding: int
    stage: str

    @property
    def leaf(self) -> Tensor:
        """The image, channels last, as a tensor whose gradient is recorded."""
        return self.image.clone().to(memory_format=torch.channels_last).requires_grad_()

    @property
    def layer(self) -> nn.Module:
        """The module whose output is the feature map."""
        return self.model.backbone.get_submodule(self.stage)

    @property
    def activations(self) -> Tensor:
        """The feature map, (1, C, h, w)."""
        with torch.no_grad():
            features = self.model.trunk(self.image, self.stage)
            return features.as_maps(features.value)


def grad_cam(case: PeerInput) -> Tensor:
    """Captum's ``LayerGradCam``, without ReLU: (h, w)."""
    maps: Tensor = captum.LayerGradCam(case.model, case.layer).attribute(case.leaf, target=case.finding)
    return maps.detach()[0, 0]


def gradient_times_activation(case: PeerInput) -> Tensor:
    """Captum's ``LayerGradientXActivation``, summed over channels: (h, w)."""
    method = captum.LayerGradientXActivation(case.model, case.layer)
    maps: Any = method.attribute(case.leaf, target=case.finding)
    return summed(maps)


def ablation_cam(case: PeerInput) -> Tensor:
    """The channels that vary most are ablated one by one, all others at once, which does not enter."""
    activations = case.activations
    chosen = _most_varying(activations)
    groups = torch.full((1, activations.shape[1], 1, 1), len(chosen))
    groups[0, chosen, 0, 0] = torch.arange(len(chosen))
    maps: Any = captum.LayerFeatureAblation(case.model, case.layer).attribute(
        case.image, target=case.finding, layer_mask=groups.expand_as(activations)
    )
    weighted: Tensor = maps[0, chosen] * activations[0, chosen]
    return weighted.sum(0)


def saliency(case: PeerInput) -> Tensor:
    """Captum's ``Saliency``: the magnitude of the gradient, (H, W)."""
    return summed(captum.Saliency(case.model).attribute(case.leaf, target=case.finding))


def input_times_gradient(case: PeerInput) -> Tensor:
    """Of the network as a function of the image less black: captum measures from zero."""
    black = baseline_images(case.model, case.image, "black")
    method = captum.InputXGradient(lambda above: case.model(above + black))
    leaf = (case.image - black).to(memory_format=torch.channels_last).requires_grad_()
    return summed(method.attribute(leaf, target=case.finding))


def noisy_gradients(case: PeerInput) -> Tensor:
    """Captum's gradients of the same noisy copies, (n, h, w); its own ``NoiseTunnel`` has no seed."""
    random = torch.Generator().manual_seed(0)
    spread = NOISE * (case.image.max() - case.image.min())
    gradients = []
    for number in range(SAMPLES):
        last = number == SAMPLES - 1
        noise = torch.zeros(()) if last else torch.randn(case.image.shape[1:], generator=random)
        leaf = (case.image + spread * noise).to(memory_format=torch.channels_last).requires_grad_()
        gradients.append(summed(captum.Saliency(case.model).attribute(leaf, case.finding, abs=False)))
    return torch.stack(gradients)


def integrated_gradients(case: PeerInput) -> Tensor:
    """Captum's ``IntegratedGradients`` from black, with Gauss–Legendre nodes: (H, W)."""
    method = captum.IntegratedGradients(case.model)
    start = baseline_images(case.model, case.image, "black")
    return summed(method.attribute(case.leaf, start, target=case.finding, n_steps=STEPS))


def guided_integrated_gradients(case: PeerInput) -> Tensor:
    """Captum's integrated gradients × its Grad-CAM, enlarged and scaled to [0, 1]: (H, W)."""
    coarse = upsample(grad_cam(case)[None, None], tuple(case.image.shape[2:]))
    return integrated_gradients(case) * heatmap(coarse)[0, 0]


def occlusion(case: PeerInput) -> Tensor:
    """Captum's ``Occlusion`` by black squares of half the side: (H, W)."""
    side, channels = case.image.shape[2] // 2, case.image.shape[1]
    return summed(
        captum.Occlusion(case.model).attribute(
            case.image,
            sliding_window_shapes=(channels, side, side),
            strides=(channels, side // 2, side // 2),
            baselines=baseline_images(case.model, case.image, "black"),
            target=case.finding,
            perturbations_per_eval=9,
        )
    )


def raw_cam(name: str, case: PeerInput, scale_a: float = 1.0, scale_g: float = 1.0) -> Tensor:
    """A class of pytorch-grad-cam, on activations and gradients that its own hooks recorded."""
    import pytorch_grad_cam
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    targets = [ClassifierOutputTarget(case.finding)]
    as_maps = case.model.trunk(case.image, case.stage).as_maps
    peer = getattr(pytorch_grad_cam, name)
    with peer(case.model, [case.layer], reshape_transform=as_maps) as cam:
        # Weights are frozen; a gradient reaches the layer only if the image requires one.
        cam(case.image.clone().requires_grad_(), targets)
        recorded = cam.activations_and_grads
        gradients = scale_g * recorded.gradients[0].double().numpy() if recorded.gradients else None
        activations = scale_a * recorded.activations[0].double().numpy()
        raw = cam.get_cam_image(case.image, case.layer, targets, activations, gradients, eigen_smooth=False)
    case.model.zero_grad()
    return torch.from_numpy(raw)[0] / scale_a / scale_g


def finer_cam(case: PeerInput) -> Tensor:
    """Pytorch-grad-cam's Finer-CAM of a finding compared with the one whose weights are most alike: (h, w).

    Its own target weights each difference of logits by softmax probabilities and divides by their sum plus
    1e-9, which with one finding to compare with changes the map only where that probability is tiny.
    """
    from pytorch_grad_cam import FinerCAM

    other = closest_findings(case.model)[case.finding]
    targets = [lambda logits: logits[case.finding] - logits[other]]
    as_maps = case.model.trunk(case.image, case.stage).as_maps
    with FinerCAM(case.model, [case.layer], reshape_transform=as_maps) as finer:
        finer(case.image.clone().requires_grad_(), targets)
        cam, recorded = finer.base_cam, finer.base_cam.activations_and_grads
        activations, gradients = (
            each[0].double().numpy() for each in (recorded.activations, recorded.gradients)
        )
        raw = cam.get_cam_image(case.image, case.layer, targets, activations, gradients, eigen_smooth=False)
    case.model.zero_grad()
    return torch.from_numpy(raw)[0]


def refine_cam(case: PeerInput) -> Tensor:
    """The product of pytorch-grad-cam's Grad-CAM of all stages, on the grid of the finest: (h, w).

    Its own ``RefineCAM`` stretches each of them from its smallest to its largest value first.
    """
    maps = [raw_cam("GradCAM", replace(case, stage=stage)) for stage in case.model.stages]
    finest = max((tuple(each.shape) for each in maps), key=lambda grid: grid[0] * grid[1])
    enlarged = [upsample(each.float().clamp(min=0)[None, None], finest) for each in maps]
    return torch.stack([heatmap(each)[0, 0] for each in enlarged]).prod(0)


def score_cam(case: PeerInput) -> Tensor:
    """Its weights of masks that are already of the image's size, of the channels that vary most."""
    from pytorch_grad_cam import ScoreCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    activations = case.activations[:, _most_varying(case.activations)]
    masks = upsample(activations, tuple(case.image.shape[2:]))
    targets = [ClassifierOutputTarget(case.finding)]
    with (
        ScoreCAM(case.model, [case.layer]) as cam,
        contextlib.redirect_stderr(io.StringIO()),
    ):  # progress bars
        weights = cam.get_cam_weights(case.image, case.layer, targets, masks.numpy(), None)
    return (torch.from_numpy(weights)[0, :, None, None] * activations[0]).sum(0)


def _most_varying(activations: Tensor) -> list[int]:
    """The channels with the largest standard deviation over cells, as with ``channels=12``."""
    order = activations[0].flatten(1).std(1, correction=0).argsort(descending=True)
    return sorted(order[:CHANNELS].tolist())


def summed(maps: Tensor) -> Tensor:
    """Maps (1, C, H, W), summed over channels: (H, W)."""
    return maps.detach()[0].sum(0)
