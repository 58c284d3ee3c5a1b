"""Patients and their requests, as staff sees them."""
