"""cxrbench: a chest X-ray explainability workbench. For teaching and research, never for diagnosis."""

__version__ = "0.2.0"

__all__ = ["__version__"]
