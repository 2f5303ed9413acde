"""The one exception that is meant for the person in front of the screen."""

__all__ = ["InputError"]


class InputError(ValueError):
    """A mistake that its maker can mend: one sentence with what was expected, what came, and the remedy.

    The CLI prints the sentence and exits with 2; a page shows it in a red box. Any other exception is a bug.
    """
