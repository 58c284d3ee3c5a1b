"""A service on the same chassis that writes down whatever it is told, and does nothing else."""
