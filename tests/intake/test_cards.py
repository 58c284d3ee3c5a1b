"""Cards read from pictures by the real recogniser: a few, since each takes a second or two."""

from __future__ import annotations

import asyncio
import json
import random
import warnings
from pathlib import Path

import psutil
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from intake.cards.__main__ import app
from intake.cards.picture import LONGEST_SIDE, PictureRefused, open_picture
from intake.cards.reader import CardReader, CardReaderFailed, CardUnreadable
from intake.cards.reading import read_card
from intake.cards.recognition import Recognizer
from sandbox.cards import CardFields, QuarterTurn, draw_card, encode, photograph
from tests.intake.photographs import photo, png_claiming
from tests.waiting import eventually

BLANK = photo("PNG", width=200, height=120)
ADA = CardFields("Lakeshore Mutual Health", "XQW 481205937", "77104", "Ada Byron")


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer()


@pytest.mark.parametrize(
    ("turn", "angle", "layout"),
    [
        *((0, 2, "blue_cross_classic"), (90, -11, "cigna_open_access")),
        *((180, -3, "administrator_dark"), (270, 11, "united_choice_plus")),
    ],
)
def test_a_card_is_read_whichever_way_up_it_was_photographed(
    recognizer: Recognizer, turn: QuarterTurn, angle: float, layout: str
) -> None:
    front, _ = draw_card(ADA, layout, 1)
    picture = open_picture(encode(photograph(front, turn + 1, angle=angle, turn=turn, long_side=1300), "JPEG"))
    read = read_card(recognizer, [picture])
    assert (read.member_id, read.group, (read.holder or "").upper()) == ("XQW481205937", "77104", "ADA BYRON")
    assert read.confidence("member_id") >= 0.8


def test_a_picture_without_a_card_is_an_answer_without_fields(recognizer: Recognizer) -> None:
    noise = Image.frombytes("RGB", (300, 200), random.Random(1).randbytes(300 * 200 * 3))
    assert read_card(recognizer, [noise, Image.new("RGB", (300, 200), "navy")]).as_json()["fields"] == []


def test_a_camera_that_stores_pictures_lying_down_and_says_so_is_believed() -> None:
    upright = open_picture(encode(Image.new("RGB", (300, 200)), "HEIF", exif_orientation=6))
    assert upright.size == (300, 200)


def test_a_large_photograph_is_looked_at_in_a_size_that_memory_bears() -> None:
    assert max(open_picture(photo("JPEG", width=7000, height=5000)).size) == LONGEST_SIDE


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"Dear clinic, my number is on the card.", "not a JPEG, PNG, WebP or HEIC"),
        (b"MZ\x90\x00" + bytes(4000), "not a JPEG, PNG, WebP or HEIC"),
        (photo()[:2000], "damaged or cut off"),
        (png_claiming(30_000, 30_000), "megapixels"),
        (png_claiming(9_500, 9_500), "megapixels"),
        (photo("PNG", width=20, height=20), "at least 40 × 40"),
        (photo("GIF"), "not a JPEG, PNG, WebP or HEIC"),
    ],
    ids=["empty", "text", "program", "cut off", "bomb", "large", "tiny", "another format"],
)
def test_what_is_no_picture_is_refused_with_the_reason(content: bytes, why: str) -> None:
    with warnings.catch_warnings(), pytest.raises(PictureRefused, match=why):
        warnings.simplefilter("error")
        open_picture(content)


def _command(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["read", *map(str, arguments)])


def test_the_command_prints_the_reading_of_a_card_as_json(tmp_path: Path) -> None:
    front, back = draw_card(ADA, "number_on_back", 1)
    (tmp_path / "front.jpg").write_bytes(encode(photograph(front, 1, long_side=1300), "JPEG"))
    (tmp_path / "back.heic").write_bytes(encode(photograph(back, 2, long_side=1300), "HEIF"))
    result = _command(tmp_path / "front.jpg", tmp_path / "back.heic")
    assert result.exit_code == 0
    read = json.loads(result.stdout)
    assert list(read) == ["payer", "member_id", "group", "holder", "fields"]
    assert (read["member_id"], read["group"]) == ("XQW481205937", "77104")
    assert {field["name"]: field["value"] for field in read["fields"]} == {
        name: read[name] for name in ("payer", "member_id", "group", "holder")
    }
    assert all(0 < field["confidence"] <= 1 for field in read["fields"])


def test_the_command_says_in_one_line_what_is_wrong_with_a_file(tmp_path: Path) -> None:
    letter = tmp_path / "letter.jpg"
    letter.write_text("Dear clinic")
    for path, why in ((letter, "not a JPEG"), (tmp_path / "missing.jpg", "No such file"), (tmp_path, "directory")):
        result = _command(path)
        assert result.exit_code == 2
        assert why in json.loads(result.stdout)["error"]
        assert result.stderr.count("\n") == 1


def test_a_failing_reader_is_told_from_a_bad_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Recognizer) -> None:
        raise RuntimeError("XQW481205937")

    monkeypatch.setattr(Recognizer, "__init__", broken)
    (tmp_path / "card.jpg").write_bytes(photo())
    result = _command(tmp_path / "card.jpg")
    assert (result.exit_code, json.loads(result.stdout)) == (
        1,
        {"error": "the reader failed with RuntimeError; this is not the pictures' fault"},
    )


async def test_the_reading_process_starts_on_demand_outlives_bad_files_and_ends_when_idle() -> None:
    reader = CardReader(idle_seconds=0.2)
    try:
        assert reader.pid is None
        assert (await reader.read(BLANK)).fields == ()
        first = reader.pid
        with pytest.raises(CardUnreadable, match="not a JPEG"):
            await reader.read(b"no picture")
        assert (await reader.read(BLANK, BLANK)).fields == ()
        assert reader.pid == first
        assert first is not None

        async def gone() -> bool:
            return reader.pid is None and not psutil.pid_exists(first)

        await eventually(gone)
    finally:
        await reader.close()


async def test_a_killed_reading_process_costs_one_card_which_may_be_tried_again() -> None:
    reader = CardReader()
    try:
        asking = asyncio.create_task(reader.read(BLANK))

        async def started() -> int | None:
            return reader.pid

        psutil.Process(await eventually(started)).kill()
        with pytest.raises(CardReaderFailed, match="ended with code"):
            await asking
        assert (await reader.read(BLANK)).fields == ()
    finally:
        await reader.close()


async def test_a_card_that_takes_too_long_ends_the_process() -> None:
    reader = CardReader(timeout_seconds=0.05)
    try:
        with pytest.raises(CardReaderFailed, match=r"not read within 0\.05 s"):
            await reader.read(BLANK)
        assert reader.pid is None
    finally:
        await reader.close()
