"""The gateway's door: the CAQH CORE envelope, credentials, and questions that are no X12 or not whole."""

from __future__ import annotations

import base64
import re

import pytest

from tests.sandbox.outside import Outside, envelope, named, opened, outside, question

COVERED = question(named("covered"))


async def test_an_answer_comes_in_the_envelope_of_its_question() -> None:
    async with outside() as world:
        answered = await world.send(COVERED, PayloadID="question-7")
        fields = answered.fields
        assert (fields["PayloadID"], fields["ErrorCode"]) == ("question-7", "Success")
        assert (fields["SenderID"], fields["ReceiverID"]) == ("anybody", "STILLWATER")
        assert fields["PayloadType"] == "X12_271_Response_005010X279A1"
        assert fields["ProcessingMode"] == "RealTime"
        older = await world.send(COVERED, CORERuleVersion="2.2.0")
        assert older.fields["CORERuleVersion"] == "2.2.0"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("PayloadID", "", "PayloadIDRequired"),
        ("TimeStamp", "", "TimeStampRequired"),
        ("PayloadType", "X12_278_Request_005010X217", "PayloadTypeIllegal"),
        ("ProcessingMode", "Batch", "ProcessingModeIllegal"),
        ("CORERuleVersion", "1.0.0", "VersionMismatch"),
    ],
)
async def test_an_envelope_that_cannot_be_taken_is_answered_with_its_code(field: str, value: str, code: str) -> None:
    async with outside() as world:
        answered = await world.send(COVERED, seconds=5, **{field: value})
        assert answered.fields["ErrorCode"] == code
        assert "Payload" not in answered.fields
        assert (await world.questions())["by_outcome"] == {"envelope fault": 1}


async def test_what_is_no_multipart_and_what_is_no_x12_are_told_apart() -> None:
    async with outside() as world:
        plain = await world.http.post("/payer/real-time", content=COVERED, headers={"Content-Type": "text/plain"})
        assert "The request is not multipart/form-data" in plain.text
        assert (await world.send(b"hello")).fields["ErrorCode"] == "PayloadIllegal"


async def test_with_credentials_set_nobody_asks_without_them() -> None:
    async with outside(payer_username="clinic", payer_password="right") as world:
        refused = await world.send(COVERED)
        assert (refused.status, refused.fields["ErrorCode"]) == (403, "UnAuthorized")
        assert (await world.send(COVERED, UserName="clinic", Password="wrong")).status == 403
        taken = await world.send(COVERED, UserName="clinic", Password="right")
        assert taken.fields["ErrorCode"] == "Success"
        world.http.headers["Authorization"] = "Basic " + base64.b64encode(b"clinic:right").decode()
        assert (await world.send(COVERED)).fields["ErrorCode"] == "Success"


async def interchange_note(world: Outside, payload: bytes) -> str:
    [interchange] = (await world.send(payload)).file.interchanges
    [acknowledgement] = interchange.acknowledgements
    assert (acknowledgement.kind, acknowledgement.status) == ("TA1", "R")
    return acknowledgement.codes[0]


async def test_a_torn_interchange_is_refused_with_a_ta1() -> None:
    async with outside() as world:
        assert await interchange_note(world, re.sub(rb"IEA\*1\*\d+", b"IEA*1*999999999", COVERED)) == "001"
        assert await interchange_note(world, re.sub(rb"IEA\*1", b"IEA*2", COVERED)) == "021"
        assert await interchange_note(world, COVERED[: COVERED.index(b"IEA")]) == "023"
        assert await interchange_note(world, COVERED[:106] + COVERED[COVERED.index(b"IEA") :]) == "024"


@pytest.mark.parametrize(
    ("pattern", "replaced", "code"),
    [
        (rb"SE\*\d+", b"SE*99", "4"),
        (rb"(SE\*\d+)\*0001", rb"\1*0009", "3"),
        (rb"005010X279A1~ST", b"004010X092A1~ST", "6"),
        (rb"EQ\*[^~]*~(SE)\*12", rb"\1*11", "5"),
    ],
)
async def test_a_transaction_out_of_shape_is_refused_with_a_999(pattern: bytes, replaced: bytes, code: str) -> None:
    payload, times = re.subn(pattern, replaced, COVERED)
    assert times == 1
    async with outside() as world:
        [interchange] = (await world.send(payload)).file.interchanges
        [acknowledgement] = interchange.transactions[0].acknowledgements
        [transaction] = acknowledgement.transactions
        assert (transaction.status, transaction.codes) == ("R", [code])


async def test_a_question_is_taken_from_any_client_that_keeps_to_the_standard() -> None:
    """The payload as a file with headers of its own, a quoted boundary, a preamble; and not when it is cut short."""
    fields = {**envelope("anybody"), "Payload": COVERED.decode()}
    head = '--a b:c\r\nContent-Type: text/plain\r\ncontent-disposition: form-data; filename="a.x12"; name='
    parts = "".join(f'{head}"{name}"\r\n\r\n{value}\r\n' for name, value in fields.items())
    body = f"Look below.\r\n{parts}--a b:c--\r\n".encode()
    headers = {"Content-Type": 'multipart/form-data; boundary="a b:c"'}
    async with outside() as world:
        taken = await world.http.post("/payer/real-time", content=body, headers=headers)
        assert opened(taken)["ErrorCode"] == "Success"
        short = await world.http.post("/payer/real-time", content=body[:-40], headers=headers)
        assert opened(short)["ErrorCode"] == "PayloadRequired"
        huge = await world.http.post("/payer/real-time", content=body * 2000, headers=headers)
        assert "at most 1000000 bytes" in opened(huge)["ErrorMessage"]
