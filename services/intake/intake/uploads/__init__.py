"""Photographs of insurance cards: received in a stream, sealed from the first byte, cleaned, kept."""
