"""From a photographed card to a coverage told, on the real broker, with the real reader in its own process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from prometheus_client import CollectorRegistry

from chassis.outside import OutsideRefused, OutsideTask, OutsideUnavailable
from contracts.ids import AppointmentId
from contracts.intake import CardOutcome, CardRead, CoverageReported, PatientRegistered, Submitted
from contracts.scheduling import AppointmentBooked, AppointmentKind
from intake.__main__ import compose
from intake.card_reading.handlers import CardReadings, Reader
from intake.card_reading.images import CardImages
from intake.cards.model import CardReading
from intake.cards.reader import CardReaderFailed, CardUnreadable
from intake.metrics import IntakeMetrics
from intake.settings import IntakeSettings
from intake.upkeep import open_ring, open_store
from sandbox.cards import CardFields, draw_card, encode, layout_names, photograph
from tests.chassis.front_desk import client
from tests.intake.photographs import photo
from tests.intake.reception import Reception, reception
from tests.streams import Streams, streams
from tests.waiting import eventually

pytestmark = pytest.mark.engines

ADA = {"name": "Ada Byron", "phone": "(330) 555-0123"}
BLANK = {"card_front": ("blank.png", photo("PNG"), "image/png")}


@asynccontextmanager
async def house(settings: Callable[..., Any], folder: Path) -> AsyncIterator[tuple[Reception, Streams]]:
    knobs = settings(IntakeSettings, card_folder=folder / "cards", card_keys_file=folder / "keys" / "cards.json")
    service = compose(knobs)
    async with service.running(), streams(knobs) as heard, client(service.http) as person:
        yield Reception(service, knobs, person), heard


async def test_a_card_in_any_format_becomes_a_coverage_and_an_unreadable_one_an_answer(
    settings: Callable[..., Any], tmp_path: Path
) -> None:
    fields = CardFields("Lakeshore Mutual", "XQW481205937", "77104", "Ada Byron")
    front, back = draw_card(fields, layout_names()[0], 3)
    photos = {
        "card_front": ("IMG_1.jpg", encode(photograph(front, 3), "JPEG", exif_orientation=6), "image/jpeg"),
        "card_back": ("IMG_2.heic", encode(photograph(back, 4), "HEIF"), "image/heic"),
    }
    async with house(settings, tmp_path) as (desk, heard):
        covered = (await desk.send(**ADA, files=photos)).json()["patient_id"]
        blank = (await desk.send(**ADA, files=BLANK)).json()["patient_id"]
        typed = (await desk.send(**ADA, payer="Lakeshore", member_id="X1", files=BLANK)).json()["patient_id"]

        [read] = await heard.heard(CardRead, about=covered)
        assert read.outcome is CardOutcome.READ
        assert {field.name: field.value for field in read.fields}["member_id"] == fields.member_id
        [coverage] = await heard.heard(CoverageReported, about=covered)
        assert (coverage.member_id, coverage.source) == (fields.member_id, "card")

        [unread] = await heard.heard(CardRead, about=blank)
        assert (unread.outcome, unread.fields) == (CardOutcome.UNREADABLE, ())
        [told] = await heard.heard(CoverageReported, about=typed)
        assert (told.member_id, told.source) == ("X1", "typed")
        assert len(await heard.heard(CoverageReported, 2)) == 2

        async with desk.staff() as staff:
            [intake] = (await staff.get(f"/patients/{covered}")).json()["intakes"]
            assert (intake["card_outcome"], intake["member_id"]) == ("read", fields.member_id)


async def test_a_booked_assessment_takes_the_request_off_the_list(settings: Callable[..., Any], tmp_path: Path) -> None:
    async with house(settings, tmp_path) as (desk, heard), desk.staff() as staff:
        patient = (await desk.send(**ADA, in_danger="yes")).json()["patient_id"]
        await heard.heard(PatientRegistered, about=patient)
        await heard.heard(Submitted, about=patient)
        now = desk.service.clock.now()
        booked = AppointmentBooked(
            appointment_id=AppointmentId("appointment_1"),
            version=1,
            kind=AppointmentKind.ASSESSMENT,
            starts_at=now,
            ends_at=now,
            time_zone="America/New_York",
            clinician="Dr. Feld",
            room="Consulting room 1",
            place="88 Canal Street",
        )
        await heard.say(patient, booked)

        async def nobody_waits() -> bool:
            return (await staff.get("/intakes")).json()["intakes"] == []

        await eventually(nobody_waits)


class FailingReader:
    """Fails in the one way it is told."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def read(self, front: bytes, back: bytes | None = None) -> CardReading:
        assert front.startswith(b"\xff\xd8")
        raise self._error


async def task_of(desk: Reception) -> OutsideTask:
    [row] = await desk.rows("SELECT * FROM outside_task")
    [intake] = await desk.rows("SELECT id FROM intake")
    return OutsideTask(
        uuid4(), row["destination"], row["purpose"], row["subject"], {"intake_id": intake["id"]}, 1, 0, None
    )


def readings(desk: Reception, reader: Reader) -> CardReadings:
    images = CardImages(open_store(desk.settings), open_ring(desk.settings))
    return CardReadings(desk.service.database, images, reader, IntakeMetrics(CollectorRegistry()))


async def test_a_reader_that_fails_is_asked_again_and_then_what_was_typed_stands(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        await desk.send(**ADA, payer="Lakeshore", member_id="X1", files=BLANK)
        task, reading = await task_of(desk), readings(desk, FailingReader(CardReaderFailed("died")))
        with pytest.raises(OutsideUnavailable):
            await reading.read(task)
        async with desk.service.database.transaction() as tx:
            await reading.gave_up(tx, task, "card_reader_failed")
        failed, coverage = [event for _, event in await desk.said()][-2:]
        assert isinstance(failed, CardRead)
        assert failed.outcome is CardOutcome.FAILED
        assert isinstance(coverage, CoverageReported)
        assert (coverage.member_id, coverage.source) == ("X1", "typed")


async def test_a_picture_the_reader_refuses_is_unreadable_and_not_asked_again(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        await desk.send(**ADA, files=BLANK)
        task, reading = await task_of(desk), readings(desk, FailingReader(CardUnreadable("no picture")))
        answer = await reading.read(task)
        async with desk.service.database.transaction() as tx:
            await reading.answered(tx, task, answer)
        assert [event.outcome for _, event in await desk.said() if isinstance(event, CardRead)] == ["unreadable"]
        assert (await desk.rows("SELECT outcome FROM card_reading"))[0]["outcome"] == "unreadable"


async def test_an_image_that_does_not_open_is_never_read(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        await desk.send(**ADA, files=BLANK)
        [path] = desk.stored()
        path.write_bytes(path.read_bytes()[:100])
        with pytest.raises(OutsideRefused):
            await readings(desk, FailingReader(AssertionError())).read(await task_of(desk))
