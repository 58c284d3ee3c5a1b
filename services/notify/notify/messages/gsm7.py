"""How long a text is on the air: GSM 03.38 7-bit default alphabet (3GPP TS 23.038, 6.2.1)."""

from __future__ import annotations

from typing import Final

LONGEST: Final = 160
"""Septets in one text."""

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("\f^{}\\[~]|€")
"""Each takes two septets: an escape, and itself."""


def septets(text: str) -> int | None:
    """The length of a text in septets; None where a character is not in the alphabet."""
    if not _BASIC.union(_EXTENDED).issuperset(text):
        return None
    return len(text) + sum(text.count(character) for character in _EXTENDED)
