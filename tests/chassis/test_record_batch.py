"""Record batches that we put together ourselves, read back by the client library's own reader."""

from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st

from chassis.record_batch import RecordBatch, decoded, encoded

headers = st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=200)), max_size=12)
records = st.tuples(st.binary(max_size=40), headers, st.binary(max_size=20_000))


@given(records)
def test_a_record_is_read_back_as_it_was_written(record: tuple[bytes, list[tuple[str, bytes]], bytes]) -> None:
    assert decoded(encoded(*record)) == record


@given(st.lists(records, min_size=1, max_size=5))
def test_kafkas_reader_finds_every_record_in_its_place_and_the_checksum_right(
    written: list[tuple[bytes, list[tuple[str, bytes]], bytes]],
) -> None:
    batch = RecordBatch([encoded(*one) for one in written])
    batch._set_producer_state(7, 1, 42)  # pyright: ignore[reportPrivateUsage] - as the producer does
    read = MemoryRecords(bytes(batch._build())).next_batch()  # pyright: ignore[reportPrivateUsage]
    assert read is not None
    assert read.validate_crc()
    assert (read.producer_id, read.producer_epoch, read.base_sequence) == (7, 1, 42)
    assert [(one.key, list(one.headers), one.value) for one in read] == written
    assert batch.record_count() == len(written)


def test_many_records_keep_their_order() -> None:
    batch = RecordBatch([encoded(b"key", [], str(number).encode()) for number in range(10_000)])
    read = MemoryRecords(bytes(batch._build())).next_batch()  # pyright: ignore[reportPrivateUsage]
    assert read is not None
    assert read.validate_crc()
    assert [(one.offset, int(one.value or b"")) for one in read] == [(n, n) for n in range(10_000)]
