"""Small changes to a training radiograph that leave its findings true; never a left–right flip."""

from cxrbench.augment.light import Augmentation, Draw, apply

__all__ = ["Augmentation", "Draw", "apply"]
