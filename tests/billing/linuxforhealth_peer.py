"""Reads 270s with linuxforhealth-x12's strict model; run in an environment of its own.

A JSON list of X12 texts comes in; a JSON list goes out: each as the model writes it again, null where it refuses it.
"""

import json
import sys

from linuxforhealth.x12.io import X12ModelReader
from pydantic import ValidationError


def written_again(text: str) -> str | None:
    try:
        with X12ModelReader(text) as reader:
            return "".join(model.x12() for model in reader.models())
    except ValidationError:
        return None


print(json.dumps([written_again(text) for text in json.load(sys.stdin)]))
