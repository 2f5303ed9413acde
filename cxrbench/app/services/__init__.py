"""Shared by all pages, without widgets of their own: models, radiographs, jobs, cached results."""
