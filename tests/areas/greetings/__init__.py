"""A tiny area: people ask for a greeting, a worker answers. It has something of everything that an `Area` can give."""
