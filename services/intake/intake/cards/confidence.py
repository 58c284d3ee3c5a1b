"""How likely a field is to be right, from all that speaks for and against it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from intake.cards.pairing import Pair

HIGHEST = 0.98
_DOUBT = 0.87
# Letters that digits are taken for: O and I anywhere, the rarer ones amid digits, and 0 and 1 amid letters.
_AMBIGUOUS = re.compile(r"[OI]|(?<=\d)[QSBZ]|(?<=[A-Z])[01](?=[A-Z])|^[01](?=[A-Z])")
_OTHER: Mapping[str, str] = {"O": "0", "I": "1", "Q": "0", "S": "5", "B": "8", "Z": "2", "0": "O", "1": "I"}


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


def of_number(number: str, fits: Callable[[str], bool], shape_known: bool) -> float:
    """A factor for a member number's own look: characters that another is taken for make it doubtful.

    ``fits`` tells whether a number has a shape that the payer gives out. Where the number fits and would not with
    the other character in its place, there is no doubt.
    """
    known = fits(number)
    doubtful = any(
        not known or fits(number[: found.start()] + _OTHER[found[0]] + number[found.end() :])
        for found in _AMBIGUOUS.finditer(number)
    )
    return (_DOUBT if doubtful else 1.0) * (1.0 if known or not shape_known else 0.97)
