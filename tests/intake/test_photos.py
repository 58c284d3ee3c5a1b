"""Photographs of a card: told by content, sealed on arrival, cleaned; what is refused leaves nothing behind."""

from __future__ import annotations

import io
import os
import random
from collections.abc import AsyncIterator, Collection
from datetime import timedelta
from pathlib import Path

import pytest
from obstore.store import MemoryStore
from PIL import Image

from intake.uploads.cleaning import Cleaner, CleaningLimits
from intake.uploads.faults import MEGABYTE, CardFault, CardRefused
from intake.uploads.multipart import FormUnreadable
from intake.uploads.receiving import ReceivedForm, receive_form
from intake.uploads.sealing import SealBroken
from intake.uploads.storage import CardStore, SealedFile
from tests.intake.photographs import BOUNDARY, FORM_TYPE, form_body, in_pieces, photo, png_claiming, repeated

ORIENTATION, GPS, MAKER = 0x0112, 0x8825, 0x010F


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cards"


@pytest.fixture
def store(folder: Path) -> CardStore:
    return CardStore.at(folder)


def stored(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def receive(store: CardStore, *files: tuple[str, str, bytes]) -> ReceivedForm:
    return await read(store, in_pieces(form_body({"name": "Ada"}, list(files))))


async def read(store: CardStore, body: AsyncIterator[bytes]) -> ReceivedForm:
    return await receive_form(body, FORM_TYPE, photo_fields=("card_front", "card_back"), store=store)


async def content(store: CardStore, file: SealedFile) -> bytes:
    return b"".join([piece async for piece in store.read(file)])


async def refusal(store: CardStore, sent: bytes, name: str = "card.jpg") -> CardRefused:
    form = await receive(store, ("card_front", name, sent))
    assert form.photos == {}
    assert form.fields.values == {"name": "Ada"}
    return form.refused["card_front"]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
async def test_every_kind_of_photo_becomes_a_clean_jpeg(store: CardStore, folder: Path, kind: str) -> None:
    form = await receive(store, ("card_front", "anything.txt", photo(kind)))
    raw = form.photos["card_front"]
    assert await content(store, raw) == photo(kind)
    card = await Cleaner(store).clean(raw)
    with Image.open(io.BytesIO(await content(store, card))) as image:
        assert (image.format, image.size) == ("JPEG", (640, 400))
    assert all(photo(kind)[:40] not in path.read_bytes() for path in stored(folder))


@pytest.mark.parametrize(("orientation", "corner"), [(1, (0, 0)), (3, (1, 1)), (6, (1, 0)), (8, (0, 1))])
async def test_a_photo_is_kept_upright_and_without_what_it_carried(
    store: CardStore, orientation: int, corner: tuple[int, int]
) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[MAKER] = "Telltale Phones"
    exif.get_ifd(GPS)[1] = "N"
    form = await receive(store, ("card_front", "c.jpg", photo(exif=exif)))
    clean = await content(store, await Cleaner(store).clean(form.photos["card_front"]))
    assert b"Telltale" not in clean
    with Image.open(io.BytesIO(clean)) as image:
        assert not image.getexif()
        width, height = image.size
        assert (width > height) == (orientation in (1, 3))
        red, green, _ = image.convert("RGB").getpixel((corner[0] * (width - 1), corner[1] * (height - 1)))
        assert red > 200 > 60 > green


async def test_a_large_photo_is_scaled_down(store: CardStore) -> None:
    form = await receive(store, ("card_front", "c.png", photo("PNG", width=4_000, height=1_000)))
    clean = await content(store, await Cleaner(store).clean(form.photos["card_front"]))
    with Image.open(io.BytesIO(clean)) as image:
        assert image.size == (3_000, 750)


async def test_a_see_through_picture_lies_on_white(store: CardStore) -> None:
    file = io.BytesIO()
    Image.new("RGBA", (40, 30), (0, 0, 0, 0)).save(file, "PNG")
    form = await receive(store, ("card_front", "c.png", file.getvalue()))
    clean = await content(store, await Cleaner(store).clean(form.photos["card_front"]))
    with Image.open(io.BytesIO(clean)) as image:
        assert image.getpixel((5, 5)) == (255, 255, 255)


async def test_an_empty_file_is_refused(store: CardStore, folder: Path) -> None:
    refused = await refusal(store, b"")
    assert refused.sentence.startswith("This file is empty.")
    assert stored(folder) == []


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"MZ" + bytes(2_000), "This is a program, not a photo."),
        (b"\x7fELF" + bytes(2_000), "This is a program, not a photo."),
        (b"#!/bin/sh\necho hello\n", "This is a program, not a photo."),
        (b"%PDF-1.7\n" + bytes(2_000), "This is a PDF, not a photo."),
        (b"GIF89a" + bytes(2_000), "This is a GIF, not a photo."),
        (b"nothing in particular", "This is not a photo."),
        (b"\xff", "This is not a photo."),
    ],
)
async def test_what_only_calls_itself_a_photo_is_refused(
    store: CardStore, folder: Path, sent: bytes, said: str
) -> None:
    refused = await refusal(store, sent)
    assert refused.sentence.startswith(said)
    assert "JPEG, PNG, WebP or HEIC" in refused.sentence
    assert stored(folder) == []


async def test_33_megabytes_are_refused_and_the_rest_of_the_form_is_read(store: CardStore, folder: Path) -> None:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="card_front"; filename="c.jpg"\r\n\r\n'
    rest = b"\r\n" + form_body({"name": "Ada"})
    large = repeated((head.encode() + photo()[:1_000], 1), (bytes(MEGABYTE), 33), (rest, 1))
    form = await read(store, large)
    assert form.refused["card_front"].fault is CardFault.TOO_LARGE
    assert "32 MB" in form.refused["card_front"].sentence
    assert form.fields.values == {"name": "Ada"}
    assert stored(folder) == []


async def test_exactly_32_megabytes_are_taken(store: CardStore) -> None:
    start = photo()
    body = form_body({}, [("card_front", "c.jpg", start + bytes(32 * MEGABYTE - len(start)))])
    form = await read(store, in_pieces(body, 65_536))
    assert form.photos["card_front"].size == 32 * MEGABYTE


async def test_two_photos_for_one_side_are_refused(store: CardStore, folder: Path) -> None:
    form = await receive(store, ("card_front", "a.jpg", photo()), ("card_front", "b.jpg", photo()))
    assert form.refused["card_front"].fault is CardFault.SENT_TWICE
    assert form.photos == {}
    assert stored(folder) == []


async def test_a_file_input_left_empty_is_no_photo_and_no_fault(store: CardStore) -> None:
    form = await receive(store, ("card_front", "", b""))
    assert form.photos == {}
    assert form.refused == {}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "HEIF"])
async def test_a_truncated_photo_is_refused_as_damaged(store: CardStore, folder: Path, kind: str) -> None:
    whole = photo(kind, width=1_600, height=1_000)
    form = await receive(store, ("card_front", "c", whole[: len(whole) * 2 // 3]))
    raw = form.photos["card_front"]
    with pytest.raises(CardRefused) as refused:
        await Cleaner(store).clean(raw)
    assert refused.value.fault is CardFault.DAMAGED
    await store.delete(raw.name)
    assert stored(folder) == []


@pytest.mark.parametrize(("width", "height"), [(60_000, 60_000), (7_100, 7_100), (2_000_000_000, 1)])
async def test_a_decompression_bomb_is_refused_by_its_header(store: CardStore, width: int, height: int) -> None:
    form = await receive(store, ("card_front", "c.png", png_claiming(width, height)))
    with pytest.raises(CardRefused) as refused:
        await Cleaner(store).clean(form.photos["card_front"])
    assert refused.value.fault is CardFault.TOO_MANY_PIXELS
    assert "50 million pixels" in refused.value.sentence


async def test_noise_behind_a_photos_first_bytes_costs_no_more_than_a_refusal(store: CardStore) -> None:
    noise = random.Random(7)
    for kind in ("JPEG", "PNG", "WEBP", "HEIF"):
        form = await receive(store, ("card_front", "c", photo(kind)[:64] + noise.randbytes(20_000)))
        with pytest.raises(CardRefused) as refused:
            await Cleaner(store).clean(form.photos["card_front"])
        assert refused.value.fault in (CardFault.DAMAGED, CardFault.TOO_MANY_PIXELS)


async def test_a_decoder_that_hangs_is_stopped(store: CardStore, folder: Path) -> None:
    form = await receive(store, ("card_front", "c.jpg", photo()))
    with pytest.raises(CardRefused) as refused:
        await Cleaner(store, CleaningLimits(seconds=0.001)).clean(form.photos["card_front"])
    assert refused.value.cause == "decoding took too long"
    assert len(stored(folder)) == 1


async def test_a_decoder_without_enough_memory_harms_nobody_else(store: CardStore) -> None:
    form = await receive(store, ("card_front", "c.png", photo("PNG", width=5_000, height=5_000)))
    starved = Cleaner(store, CleaningLimits(memory_bytes=100 * MEGABYTE))
    with pytest.raises(CardRefused) as refused:
        await starved.clean(form.photos["card_front"])
    assert refused.value.fault is CardFault.TOO_MANY_PIXELS
    assert (await Cleaner(store).clean(form.photos["card_front"])).size > 0


async def test_a_sender_who_hangs_up_leaves_nothing(store: CardStore, folder: Path) -> None:
    body = form_body({}, [("card_front", "a.jpg", photo()), ("card_back", "b.jpg", photo() + bytes(3 * MEGABYTE))])

    async def broken() -> AsyncIterator[bytes]:
        async for piece in in_pieces(body[:-1_000_000]):
            yield piece
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await read(store, broken())
    with pytest.raises(FormUnreadable):
        await read(store, in_pieces(body[:-1_000_000]))
    assert stored(folder) == []


async def test_a_store_that_fails_costs_the_photo_and_not_the_form(store: CardStore, folder: Path) -> None:
    (folder / "raw").write_text("in the way")
    refused = await refusal(store, photo() + bytes(3 * MEGABYTE))
    assert refused.fault is CardFault.NOT_KEPT


async def test_a_bucket_serves_as_well_as_a_folder() -> None:
    store = CardStore(MemoryStore())
    form = await receive(store, ("card_front", "c.jpg", photo()), ("card_back", "d.exe", b"MZ" + bytes(600)))
    raw = form.photos["card_front"]
    card = await Cleaner(store).clean(raw)
    assert (await content(store, card)).startswith(b"\xff\xd8")

    async def with_a_row(names: Collection[str]) -> set[str]:
        return {card.name} & set(names)

    assert await store.sweep(older_than=timedelta(0), known=with_a_row) == 1
    with pytest.raises(FileNotFoundError):
        await content(store, raw)
    await store.delete(raw.name, card.name)


async def test_an_altered_image_is_never_shown(store: CardStore, folder: Path) -> None:
    form = await receive(store, ("card_front", "c.jpg", photo()))
    [path] = stored(folder)
    path.write_bytes(path.read_bytes()[:-1] + b"\x00")
    with pytest.raises(SealBroken):
        await content(store, form.photos["card_front"])


async def test_what_a_killed_process_left_is_swept_and_cards_stay(store: CardStore, folder: Path) -> None:
    form = await receive(store, ("card_front", "c.jpg", photo()), ("card_back", "d.jpg", photo()))
    cleaner = Cleaner(store)
    card = await cleaner.clean(form.photos["card_front"])
    forgotten = await cleaner.clean(form.photos["card_back"])
    raws = (folder / form.photos["card_front"].name).parent
    (raws / "abc#1").write_bytes(b"half written")
    for path in stored(folder):
        os.utime(path, (1, 1))
    (raws / "young#1").write_bytes(b"being written")

    async def with_a_row(names: Collection[str]) -> set[str]:
        return {card.name} & set(names)

    assert await store.sweep(older_than=timedelta(hours=1), known=with_a_row) == 4
    assert {str(path.relative_to(folder)) for path in stored(folder)} == {
        card.name,
        f"{raws.relative_to(folder)}/young#1",
    }
    with pytest.raises(FileNotFoundError):
        await content(store, forgotten)
