"""Scores of a model on decoded images."""

import numpy as np
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils.data import DataLoader

from cxrbench.training.dataset import Images

__all__ = ["scores_of"]


@torch.no_grad()
def scores_of(
    model: nn.Module, images: Images, *, batch: int = 64, accelerator: Accelerator | None = None
) -> np.ndarray:
    """Scores of every image, in order, in float32 and eval mode; the training mode is restored.

    Args:
        model: images (B, 1, S, S) → logits (B, L).
        images: to score.
        batch: images per forward pass.
        accelerator: splits the images between its processes and gathers the scores in each; None computes
            all in this process.

    Returns:
        (N, L) float32 in [0, 1].
    """
    device = next(model.parameters()).device
    loader = DataLoader(images, batch_size=batch, generator=torch.Generator())
    if accelerator:
        loader = accelerator.prepare_data_loader(loader)
    training = model.training
    model.eval()
    parts = []
    try:
        for pixels, _, _ in loader:
            logits = model(pixels.to(device).contiguous(memory_format=torch.channels_last))
            scores = logits.float().sigmoid()
            parts.append((accelerator.gather_for_metrics(scores) if accelerator else scores).cpu())
    finally:
        model.train(training)
    return torch.cat(parts).numpy()
