"""The Imbalance page: how unequal the findings of a data set are, and what can be done about it."""
