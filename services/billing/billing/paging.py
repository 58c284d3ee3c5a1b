"""Where a page ended, as a text that whoever reads on gives back: an instant, and an id for what shares it."""

from __future__ import annotations

import base64
import json
from datetime import datetime

from chassis.http import Problem

PageEnd = tuple[datetime, str]


def written_place(at: datetime, id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), id]).encode()).decode()


def read_place(field: str, written: str) -> PageEnd:
    """Raises Problem about this field of the request where it is none of ours."""
    try:
        at, id = json.loads(base64.urlsafe_b64decode(written.encode()))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not isinstance(id, str) or "\0" in id:
            raise ValueError
    except (ValueError, TypeError):
        fault = f"It should be a {field} as the page before gave it."
        raise Problem(422, "The request does not fit", "See `errors`.", [{"field": field, "message": fault}]) from None
    return moment, id
