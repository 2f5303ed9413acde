"""The training loop: steps, learning rate, weight averaging and progress."""
