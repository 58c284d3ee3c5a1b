"""What staff see of it: the live page, a person's page, and the same as JSON."""
