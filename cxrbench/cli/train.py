"""``cxrbench train``: a recipe becomes a model, with what it scores on the test studies."""

import argparse

from cxrbench import assets
from cxrbench.training import TrainConfig, running

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Follow the recipe in a file; a run that was stopped goes on where it was."""
    config = TrainConfig.read(options.config)
    # Not above: a mistake in the recipe is said at once, without waiting for torch.
    from accelerate import PartialState

    from cxrbench.cli.follow import follow

    try:
        follow(config, options.out or assets.runs() / config.name, force=options.force)
    except running.StopAsked as stopped:
        if PartialState().is_main_process:
            print(stopped)
    return 0
