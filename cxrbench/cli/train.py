"""``cxrbench train``: train a model with a recipe, and evaluate it on the test studies."""

import argparse

from cxrbench.training import TrainConfig

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Train with the recipe in a file; a stopped run resumes."""
    config = TrainConfig.read(options.config)
    # Imported here: errors in the recipe are reported without waiting for torch.
    from cxrbench.workflows.train import run as train

    train(config, options.out, force=options.force)
    return 0
