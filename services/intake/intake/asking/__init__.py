"""Somebody asks for help: the public page, and the same over JSON."""
