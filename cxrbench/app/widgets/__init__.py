"""Widgets that several pages use, and the synchronisation of widgets and URL."""
