"""The progress of long work, in words."""

__all__ = ["in_words"]


def in_words(seconds: float) -> str:
    """A duration for a reader who waits: "less than a minute", "about 5 min", "about 3 h"."""
    minutes = round(seconds / 60)
    if minutes < 1:
        return "less than a minute"
    return f"about {minutes} min" if minutes < 120 else f"about {minutes // 60} h"
