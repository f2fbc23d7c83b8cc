"""Golden sets: trivial cases of a task that no model may get wrong, and how each version does on them."""
