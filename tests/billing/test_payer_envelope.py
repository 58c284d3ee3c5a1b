"""The envelope of CAQH CORE: ours can be opened, and of theirs whatever comes ends in a payload or a clear no."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.payers.envelope import BadEnvelope, seal, unseal

AT = datetime(2027, 3, 2, 17, 0, tzinfo=UTC)
TYPE = "multipart/form-data; boundary=B"


def parts(*fields: tuple[str, str], boundary: str = "B", newline: str = "\r\n", end: bool = True) -> bytes:
    lines = [
        line
        for name, value in fields
        for line in (f"--{boundary}", f'Content-Disposition: form-data; name="{name}"', "", value)
    ]
    return newline.join([*lines, f"--{boundary}--" if end else "", ""]).encode()


def nested(depth: int) -> bytes:
    return b"".join(b"--B%d\r\nContent-Type: multipart/mixed; boundary=B%d\r\n\r\n" % (n, n + 1) for n in range(depth))


@given(st.binary(min_size=1, max_size=300).filter(lambda payload: payload.strip()))
def test_what_we_seal_can_be_opened(payload: bytes) -> None:
    body, content_type = seal(payload, payload_id="1", sender="US", receiver="THEM", at=AT, credentials={})
    opened = unseal(body, content_type)
    assert opened.payload_id == "1" and opened.error is None
    # MIME gives lines back with one kind of ending; X12 takes either.
    assert opened.payload.replace(b"\r", b"").strip(b"\n") == payload.replace(b"\r", b"").strip(b"\n")


def test_credentials_go_along_only_where_there_are_some() -> None:
    with_them, _ = seal(
        b"ISA", payload_id="1", sender="US", receiver="T", at=AT, credentials={"UserName": "clinic", "Password": "s"}
    )
    without, _ = seal(b"ISA", payload_id="1", sender="US", receiver="T", at=AT, credentials={})
    assert b'name="UserName"\r\n\r\nclinic' in with_them
    assert b"Password" not in without


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (parts(("Payload", "ISA*1~"), ("PayloadID", "7")), TYPE),
        (parts(("Payload", "ISA*1~"), ("PayloadID", "7"), newline="\n"), TYPE),
        (b"a preamble\r\n" + parts(("ErrorCode", "Success"), ("PayloadID", "7"), ("Payload", "ISA*1~")), TYPE),
        (parts(("PayloadID", "7"), ("Payload", "ISA*1~"), end=False), TYPE),
        (parts(("PayloadID", "7"), ("Payload", "ISA*1~"), boundary="a b"), 'multipart/form-data; boundary="a b"'),
        (parts(("PayloadID", "7"), ("Payload", "ISA*1~")), "Multipart/Form-Data; charset=utf-8; boundary=B"),
        (
            parts(("PayloadID", "7"), ("Payload", "SVNBKjF+")).replace(
                b'name="Payload"', b'name="Payload"\r\nContent-Transfer-Encoding: base64'
            ),
            TYPE,
        ),
    ],
)
def test_envelopes_as_different_senders_write_them_are_opened(body: bytes, content_type: str) -> None:
    opened = unseal(body, content_type)
    assert (opened.payload.strip(), opened.payload_id, opened.error) == (b"ISA*1~", "7", None)


def test_an_error_in_the_envelope_is_told_with_its_code() -> None:
    opened = unseal(parts(("ErrorCode", "UnAuthorized"), ("ErrorMessage", "no")), TYPE)
    assert (opened.error, opened.payload) == ("UnAuthorized", b"")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", TYPE),
        (b"ISA*00*", "application/edi-x12"),
        (b"<html>", "text/html"),
        (parts(("Payload", "ISA")), "multipart/form-data"),
        (parts(("Payload", "ISA")), "multipart/form-data; boundary=OTHER"),
        (parts(("Payload", "  ")), TYPE),
        (parts(("Other", "ISA")), TYPE),
        (parts(("Payload", "ISA")), "multipart/form-data; boundary=\u2603"),
        (nested(3_000), "multipart/form-data; boundary=B0"),
    ],
)
def test_what_is_no_envelope_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(BadEnvelope):
        unseal(body, content_type)


@given(st.binary(max_size=400), st.text(max_size=60))
def test_nothing_that_comes_breaks_the_opening(body: bytes, content_type: str) -> None:
    for kind in (content_type, TYPE):
        try:
            unseal(b"--B\r\n" + body, kind)
        except BadEnvelope:
            continue
