"""The Learn page: lessons, played in the browser."""
