"""Widgets that several pages use, and the step between widgets and URL."""
