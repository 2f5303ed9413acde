"""The processes that share the work of one command, as torchrun or accelerate started them."""

import torch
from accelerate import PartialState

__all__ = ["this_process"]


def this_process() -> PartialState:
    """This process among those that share the work: its number, its device, and where it waits for others.

    accelerate keeps one state per process: every call returns the same. Without a GPU it has to be told so,
    or processes that torchrun started do not find each other.
    """
    return PartialState(cpu=not torch.accelerator.is_available())
