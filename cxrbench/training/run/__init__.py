"""A run on disk and as a process: status, checkpoints, history and launcher."""
