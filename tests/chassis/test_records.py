"""Records as they are stored, and the lanes that their keys have."""

import base64
import json

from chassis.lanes import lane_of
from chassis.outbox import SHARDS, shard_of
from chassis.records import Record

ODD = Record("intake.events", 3, 7, b"\xff\x00", [("ce_id", b"\xfe"), ("ce_id", b"again")], b"\x00body\n")
PLACE = {"topic": "intake.events", "partition": 3, "offset": 7}


def test_any_bytes_are_stored_and_read_again() -> None:
    assert Record.unpacked(ODD.packed(), **PLACE) == ODD  # type: ignore[arg-type]


def test_a_record_stored_in_the_first_form_is_read_too() -> None:
    def text(value: bytes) -> str:
        return base64.b85encode(value).decode()

    headers = [(name, text(value)) for name, value in ODD.headers]
    stored = json.dumps({"key": text(ODD.key), "headers": headers, "body": text(ODD.body)}).encode()
    assert Record.unpacked(stored, **PLACE) == ODD  # type: ignore[arg-type]


def test_the_keys_of_each_partition_have_all_lanes() -> None:
    lanes: list[set[int]] = [set() for _ in range(SHARDS)]
    for number in range(SHARDS * 16 * 20):
        key = f"patient_{number}".encode()
        lanes[shard_of(key)].add(lane_of(key, 16))
    assert lanes == [set(range(16))] * SHARDS
