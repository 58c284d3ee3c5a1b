"""Verification engines outside of the clinic: they take questions under a lease, ask payers, and post answers."""
