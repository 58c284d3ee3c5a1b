"""X12 eligibility, read tolerantly and written strictly. Pure: bytes in, values out, the standard library alone.

>>> from billing.x12 import read
>>> read(b"hello").problems[0].code
'not_x12'
"""

from billing.x12.interchange import read, segments
from billing.x12.status import Status, status
from billing.x12.write import Envelope, write_270

__all__ = ["Envelope", "Status", "read", "segments", "status", "write_270"]
