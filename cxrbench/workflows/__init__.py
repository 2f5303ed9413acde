"""The protocols that commands, pages and recipes share: training by a recipe, evaluation on a data set."""

__all__: list[str] = []
