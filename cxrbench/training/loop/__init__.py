"""The training loop: steps, schedules, averaging, progress."""
