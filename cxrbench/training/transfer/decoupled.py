"""Decoupled training: retrain the last layer on frozen features."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from cxrbench.training.dataset import Images
from cxrbench.training.objective.losses import Criterion, masked_bce
from cxrbench.training.transfer.heads import last_layer, without_last

__all__ = ["features_of", "retrain"]


@torch.no_grad()
def features_of(model: nn.Module, images: Images, *, batch: int = 64) -> np.ndarray:
    """Input of the last layer for every image, in order: (N, D) float32. The model is unchanged."""
    bare, device = without_last(model), next(model.parameters()).device
    loader = DataLoader(images, batch_size=batch, generator=torch.Generator())
    parts = [bare(pixels.to(device).contiguous(memory_format=torch.channels_last)) for pixels, *_ in loader]
    return torch.cat(parts).float().cpu().numpy()


def retrain(
    model: nn.Module,
    features: np.ndarray,
    targets: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    loss: Criterion = masked_bce,
    epochs: int = 10,
    batch: int = 256,
    rate: float = 1e-3,
    seed: int = 0,
) -> None:
    """Train a model's last layer on frozen features, in place, from its current weights.

    Args:
        model: its last linear layer reads D features.
        features: (N, D), from ``features_of``; may contain synthetic ones.
        targets: (N, L) in [0, 1] or NaN.
        weights: (N,) sampling probability of each example (``targets.resampling.sampling_weights``); None for
            each once per epoch.
        loss: (logits, targets) → a scalar.
        epochs: passes of N examples.
        batch: examples per step.
        rate: learning rate of Adam.
        seed: of the order or the sampling.

    Reference:
        Kang et al. 2020, arXiv:1910.09217: cRT. There, the classifier is initialised randomly; here, it is
        trained further.
    """
    _, layer = last_layer(model)
    device, random = layer.weight.device, np.random.default_rng(seed)
    known = torch.from_numpy(np.asarray(targets, np.float32)).to(device)
    inputs = torch.from_numpy(np.asarray(features, np.float32)).to(device)
    frozen = [parameter for parameter in layer.parameters() if not parameter.requires_grad]
    layer.requires_grad_()  # a loaded model is frozen; restored below
    optimizer = torch.optim.Adam(layer.parameters(), lr=rate)
    count = len(inputs)
    for _ in range(epochs):
        order = random.permutation(count) if weights is None else random.choice(count, count, p=weights)
        for chosen in _batches(order, batch):
            optimizer.zero_grad()
            loss(layer(inputs[chosen]), known[chosen]).backward()
            optimizer.step()
    optimizer.zero_grad()
    for parameter in frozen:
        parameter.requires_grad_(False)


def _batches(order: np.ndarray, batch: int) -> list[Tensor]:
    return list(torch.from_numpy(order).split(batch))
