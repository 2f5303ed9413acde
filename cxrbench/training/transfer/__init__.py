"""Transfer learning: heads, freezing, decoupled training and late fusion."""
