"""From a radiograph to scores."""
