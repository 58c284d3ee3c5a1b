"""The keys to the images: made once, kept apart, replaced without touching an image."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from intake.uploads import keyring
from intake.uploads.keyring import KeyRing, KeyRingUnusable
from intake.uploads.sealing import SealBroken, new_file_key


@pytest.fixture
def ring(tmp_path: Path) -> KeyRing:
    return KeyRing(tmp_path / "keys" / "cards.json", image_folder=tmp_path / "cards")


def test_a_missing_key_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "cards.json"
    KeyRing(path, image_folder=None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["cards.json"]


def test_several_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        rings = list(pool.map(lambda _: KeyRing(tmp_path / "cards.json", image_folder=None), range(8)))
    assert len({ring.active for ring in rings}) == 1


def test_keys_inside_the_image_folder_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "cards"
    folder.mkdir()
    (tmp_path / "detour").symlink_to(folder)
    for place in (folder / "keys.json", folder / "deep" / "keys.json", tmp_path / "detour" / "keys.json"):
        with pytest.raises(KeyRingUnusable, match="inside the folder of the card images"):
            KeyRing(place, image_folder=folder)
    assert list(folder.iterdir()) == []


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cards.json"
    KeyRing(path, image_folder=None)
    path.chmod(0o640)
    with pytest.raises(KeyRingUnusable, match="chmod 600"):
        KeyRing(path, image_folder=None)


@pytest.mark.parametrize("content", ["", "{", '{"active": "a", "keys": {}}', '{"active": "a", "keys": {"a": 1}}'])
def test_a_damaged_key_file_is_said_to_be_damaged_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "cards.json"
    path.touch(mode=0o600)
    path.write_text(content)
    with pytest.raises(KeyRingUnusable, match="damaged"):
        KeyRing(path, image_folder=None)
    assert path.read_text() == content


def test_a_wrapped_key_opens_for_its_own_file_only(ring: KeyRing) -> None:
    key = new_file_key()
    wrapped = ring.wrap(key, name="cards/a")
    assert ring.unwrap(wrapped, name="cards/a") == key
    assert key not in wrapped.wrapped
    with pytest.raises(SealBroken):
        ring.unwrap(wrapped, name="cards/b")


def test_after_rotating_old_images_open_and_new_ones_use_the_new_key(ring: KeyRing) -> None:
    key = new_file_key()
    old = ring.wrap(key, name="cards/a")
    active = ring.rotate()
    assert active != old.key_id
    assert ring.wrap(key, name="cards/b").key_id == active
    assert ring.unwrap(old, name="cards/a") == key
    again = ring.rewrap(old, name="cards/a")
    assert again.key_id == active
    assert ring.unwrap(again, name="cards/a") == key


def test_a_running_service_follows_a_rotation_made_by_another_process(ring: KeyRing, tmp_path: Path) -> None:
    command = KeyRing(tmp_path / "keys" / "cards.json", image_folder=None)
    active = command.rotate()
    assert ring.active == active


def test_a_replaced_key_is_forgotten_only_when_old_and_unused(ring: KeyRing, monkeypatch: pytest.MonkeyPatch) -> None:
    old = ring.wrap(new_file_key(), name="cards/a")
    ring.rotate()
    assert ring.retire(frozenset()) == []
    monkeypatch.setattr(keyring, "GRACE", timedelta(0))
    assert ring.retire(frozenset({old.key_id})) == []
    assert ring.retire(frozenset()) == [old.key_id]
    with pytest.raises(KeyRingUnusable, match="restore it"):
        ring.unwrap(old, name="cards/a")
