"""The digital chest phantom: radiographs whose truth is known."""
