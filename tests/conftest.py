"""Fixtures every test may ask for."""

pytest_plugins = ["tests.browser", "tests.engines", "tests.services"]
