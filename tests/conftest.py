"""Fixtures every test may ask for; and what Hypothesis makes up is the same each time, so that a check is repeatable.

HYPOTHESIS_PROFILE=default makes up something new.
"""

import os

from hypothesis import settings

pytest_plugins = ["tests.browser", "tests.engines", "tests.services"]

settings.register_profile("same_each_time", derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same_each_time"))
