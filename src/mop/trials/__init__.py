"""Try it: one input that a person sends to a verified version, in a fresh process; nothing of it is kept."""
