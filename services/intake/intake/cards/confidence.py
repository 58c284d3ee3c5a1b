"""How likely a field is to be right, from all that speaks for and against it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from intake.cards.pairing import Pair

HIGHEST = 0.98


def of_pair(pair: Pair, certainty: Sequence[float]) -> float:
    """From how the value was found and how surely its characters were recognised.

    ``certainty`` has the recogniser's probability of each character of the value.
    """
    start = {"strong": 0.97, "fair": 0.9, "weak": 0.62}[pair.strength]
    placing = max(0.0, pair.cost - 0.9) * 0.12
    return max(0.05, start - placing) * of_recognition(certainty)


def of_recognition(certainty: Sequence[float]) -> float:
    """From the least certain characters: one doubtful letter makes the whole number doubtful."""
    if not certainty:
        return 0.5
    worst = min(certainty)
    average = sum(certainty) / len(certainty)
    return (0.55 + 0.45 * min(1.0, worst / 0.9)) * (0.6 + 0.4 * min(1.0, average / 0.97))


def of_number(number: str, *, shape_known: bool, fits_payer: bool) -> float:
    """A factor for a member number's own look: letters in the midst of digits that digits are taken for."""
    if fits_payer:
        return 1.0
    body = re.sub(r"^[A-Z]{1,4}", "", number)
    doubtful = bool(re.search(r"[OIQSBZ]", body) or re.search(r"(?<=[A-Z])[01](?=[A-Z])|^[01][A-Z]", number))
    factor = 0.87 if doubtful else 1.0
    return factor * (0.97 if shape_known else 1.0)
