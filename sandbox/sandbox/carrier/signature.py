"""X-Twilio-Signature: how the receiver of a callback knows that it comes from the carrier."""

import base64
import hashlib
import hmac
from collections.abc import Mapping


def sign(key: str, url: str, parameters: Mapping[str, str]) -> str:
    """HMAC-SHA1, in base64, of the URL followed by each parameter's name and value in order of name."""
    signed = url + "".join(name + parameters[name] for name in sorted(parameters))
    return base64.b64encode(hmac.new(key.encode(), signed.encode(), hashlib.sha1).digest()).decode()
