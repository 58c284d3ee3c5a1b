"""People's names as payers compare them."""

import re
import unicodedata
from functools import lru_cache

_SUFFIXES = {"JR", "SR", "II", "III", "IV", "MD", "PHD"}


def same_name(asked: str, on_record: str) -> bool:
    """Whether two names agree as CAQH CORE normalises them: no case, accents, punctuation or suffixes."""
    return _normal(asked) == _normal(on_record)


@lru_cache(maxsize=4096)
def _normal(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().upper()
    return "".join(word for word in re.split(r"[^A-Z]+", plain) if word not in _SUFFIXES)
