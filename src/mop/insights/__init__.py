"""Home: what needs a person now, as the areas tell it."""
