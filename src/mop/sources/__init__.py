"""Where each team's models and datasets may be read from."""
