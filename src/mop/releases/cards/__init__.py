"""Model cards: what is known of a version, from evidence."""
