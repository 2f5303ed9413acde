"""``cxrbench train``: train a model by a recipe, and evaluate it on the test studies."""

import argparse

from cxrbench.training import TrainConfig

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Train by the recipe in a file; a run that was stopped resumes where it was."""
    config = TrainConfig.read(options.config)
    # Not above: a mistake in the recipe is reported at once, without waiting for torch.
    from cxrbench.workflows.train import run as train

    train(config, options.out, force=options.force)
    return 0
