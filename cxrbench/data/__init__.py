"""Readers: every data set becomes the same table of studies."""
