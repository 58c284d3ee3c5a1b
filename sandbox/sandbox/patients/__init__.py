"""People in need of the clinic: made up, plausible, and the same for the same seed."""
