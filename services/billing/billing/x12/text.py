"""Text as X12 can carry it: upper case, the basic and extended character sets, no separators, within its length.

Errors name the field and what is accepted, never the value: it may be a person's name.
"""

import string
import unicodedata

from billing.x12.separators import Separators

BASIC = string.ascii_uppercase + string.digits + " !\"&'()*+,-./:;?="
EXTENDED = "%~@[]_{}\\|<>#$"
_ACCEPTED = frozenset(BASIC + EXTENDED)
_SPELLED = str.maketrans(
    {
        "Æ": "AE", "Œ": "OE", "Ø": "O", "Ł": "L", "Đ": "D", "Ð": "D", "Þ": "TH", "ẞ": "SS", "ı": "I",
        "‘": "'", "’": "'", "ʼ": "'", "“": '"', "”": '"', "‐": "-", "‑": "-", "–": "-", "—": "-",
        "\u00a0": " ", "\u202f": " ",
    }
)  # fmt: skip


def carried(text: str, field: str, separators: Separators, shortest: int = 1, longest: int = 60) -> str:
    """The text as it will be sent: accents go ("Zoë" is "ZOE"), small letters become capitals, blanks at the ends go.

    Raises ValueError, naming the field, for a character that X12 or these separators do not allow, and for a length
    outside `shortest` to `longest`.
    """
    plain = unicodedata.normalize("NFKD", text.upper().translate(_SPELLED))
    plain = "".join(character for character in plain if not unicodedata.combining(character)).strip()
    for character in plain:
        if character in separators:
            raise ValueError(
                f"{field} may not hold {character!r}, which is a separator here; leave it out or choose others"
            )
        if character not in _ACCEPTED:
            raise ValueError(
                f"{field} holds {unicodedata.name(character, 'a control character')}, which X12 cannot carry;"
                f" accepted: letters, digits, blanks and {BASIC[37:]}{EXTENDED} except the separators"
            )
    if not shortest <= len(plain) <= longest:
        raise ValueError(f"{field} must have {shortest} to {longest} characters; it has {len(plain)}")
    return plain
