"""From targets to weights."""
