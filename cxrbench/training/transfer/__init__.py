"""From one task to another: heads, freezing, decoupled training, late fusion."""
