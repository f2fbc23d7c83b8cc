"""Reading pickles without loading them."""
