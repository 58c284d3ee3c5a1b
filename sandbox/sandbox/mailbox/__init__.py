"""A mail server that accepts whatever is addressed to anybody, and a page to read it."""
