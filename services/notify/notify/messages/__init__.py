"""Telling people about their visit and their insurance: decided once, worded when it is sent."""
