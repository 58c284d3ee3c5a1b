"""Booking an assessment: the earliest time at which a clinician and a room are both free."""
