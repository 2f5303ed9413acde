"""The Performance page: curves, thresholds, intervals, subgroups and errors, computed from predictions."""
