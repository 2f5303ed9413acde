"""What happens to the label matrix before a loss sees it."""
