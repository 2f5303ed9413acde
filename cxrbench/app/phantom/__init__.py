"""The Phantom page: a simulated radiograph whose truth is known."""
