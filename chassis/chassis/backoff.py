"""How long to wait before trying again."""

from __future__ import annotations

import random


def backoff(tries: int, first: float, longest: float) -> float:
    """Seconds to wait after the `tries`-th failure: doubling from `first` to `longest`, with full jitter's half.

    Between half of the step and all of it, so that retries neither come at once nor in step with each other.
    """
    step = min(longest, first * 2.0 ** min(tries - 1, 32))
    return step * (0.5 + random.random() / 2)  # noqa: S311 (spreads load, guards nothing)
