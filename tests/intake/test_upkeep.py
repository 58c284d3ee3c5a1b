"""Stored cards over time: wrapping keys change, what nobody knows is swept, and the images stay readable."""

from __future__ import annotations

import asyncio
import os
import sys
from datetime import timedelta
from pathlib import Path

import asyncpg
import pytest

from intake.upkeep import open_ring, open_store, retire, rewrap, sweep
from intake.uploads import keyring
from tests.intake.photographs import photo
from tests.intake.reception import Reception, reception
from tests.services import SEAL_KEY, TOKEN_KEY

pytestmark = pytest.mark.engines

ADA = {"name": "Ada Byron", "phone": "(330) 555-0123"}
FRONT = ("front.jpg", photo(), "image/jpeg")


async def shown(desk: Reception, patient: str) -> bytes:
    async with desk.staff() as staff:
        answer = await staff.get(f"/patients/{patient}/cards/front")
        assert answer.status_code == 200
        return answer.content


async def test_a_rotation_wraps_every_key_anew_and_touches_no_image(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with reception(database, tmp_path) as desk:
        patients = [(await desk.send(**ADA, files={"card_front": FRONT})).json()["patient_id"] for _ in range(3)]
        images = {path: path.read_bytes() for path in desk.stored()}
        before = [await shown(desk, patient) for patient in patients]

        ring = open_ring(desk.settings)
        old, active = ring.active, ring.rotate()
        connection = await asyncpg.connect(database)
        assert await rewrap(connection, ring) == 3
        assert await rewrap(connection, ring) == 0
        assert await retire(connection, ring) == []
        monkeypatch.setattr(keyring, "GRACE", timedelta(0))
        assert await retire(connection, ring) == [old]
        await connection.close()

        assert [row["key_id"] for row in await desk.rows("SELECT DISTINCT key_id FROM card_image")] == [active]
        assert {path: path.read_bytes() for path in desk.stored()} == images
        assert [await shown(desk, patient) for patient in patients] == before
        later = (await desk.send(**ADA, files={"card_front": FRONT})).json()["patient_id"]
        assert (await shown(desk, later))[:2] == b"\xff\xd8"


async def test_the_command_rotates_while_the_service_runs(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        patient = (await desk.send(**ADA, files={"card_front": FRONT})).json()["patient_id"]
        settings = {
            "STILLWATER_INTAKE_DATABASE_URL": database,
            "STILLWATER_INTAKE_CARD_FOLDER": str(desk.settings.card_folder),
            "STILLWATER_INTAKE_CARD_KEYS_FILE": str(desk.settings.card_keys_file),
            "STILLWATER_KAFKA": "localhost:1",
            "STILLWATER_TOKEN_KEY": TOKEN_KEY,
            "STILLWATER_SEAL_KEY": SEAL_KEY,
        }
        command = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "intake.upkeep", "rotate"),
            env=os.environ | settings,
            stdout=asyncio.subprocess.PIPE,
        )
        said, _ = await command.communicate()
        assert b"1 image keys wrapped anew" in said
        [row] = await desk.rows("SELECT key_id FROM card_image")
        assert row["key_id"] == open_ring(desk.settings).active
        assert (await shown(desk, patient))[:2] == b"\xff\xd8"


async def test_without_the_key_file_images_and_database_show_nothing(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        patient = (await desk.send(**ADA, files={"card_front": FRONT})).json()["patient_id"]
        desk.settings.card_keys_file.unlink()
        async with desk.staff() as staff:
            assert (await staff.get(f"/patients/{patient}/cards/front")).status_code == 500


async def test_orphans_are_swept_and_cards_of_patients_stay(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        patient = (await desk.send(**ADA, files={"card_front": FRONT})).json()["patient_id"]
        [card] = desk.stored()
        orphan = card.with_name("0" * 32)
        orphan.write_bytes(b"sealed and forgotten")
        for path in desk.stored():
            os.utime(path, (1, 1))
        store = open_store(desk.settings)
        assert await sweep(store, desk.service.database.connection, timedelta(minutes=60)) == 1
        assert desk.stored() == [card]
        assert await shown(desk, patient)


async def test_intakes_waiting_are_unknown_until_they_were_counted(database: str, tmp_path: Path) -> None:
    async with reception(database, tmp_path) as desk:
        await desk.send(**ADA, in_danger="yes")
        page = (await desk.person.get("/metrics")).text
        assert 'stillwater_intakes_waiting{urgency="urgent"} NaN' in page
        assert 'stillwater_intakes_total{outcome="accepted"} 1.0' in page
