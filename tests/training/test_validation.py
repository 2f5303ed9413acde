import numpy as np
import torch
from torch import nn

from cxrbench.preprocess import Preprocessing
from cxrbench.training import Images, scores_of


def test_scores_are_in_order_and_in_eval_mode_and_the_training_mode_is_restored() -> None:
    torch.manual_seed(0)
    pixels = np.random.default_rng(0).integers(0, 256, (7, 8, 8), dtype=np.uint8)
    images = Images(pixels, torch.zeros(7, 2), Preprocessing(size=8))
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.9), nn.Linear(64, 2)).train()
    scores = scores_of(model, images, batch=3)
    assert model.training
    slow = [model.eval()(images[i][0][None]).sigmoid()[0].tolist() for i in range(7)]
    np.testing.assert_allclose(scores, slow, atol=1e-6)
