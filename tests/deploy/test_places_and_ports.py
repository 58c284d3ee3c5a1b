"""Folders, secrets and ports on a machine that others use too."""

import socket
import stat
from pathlib import Path

import pytest

from deploy.local.places import Account, PlaceError, place_for, reachable
from deploy.local.ports import LOOPBACK, free_port, is_open
from deploy.local.vault import Vault

STRANGER = Account("stranger", 54_321, 54_321)


def test_a_busy_port_means_the_next_free_one() -> None:
    with socket.create_server((LOOPBACK, 0)) as other:
        busy = other.getsockname()[1]
        chosen = free_port(busy)
        assert busy < chosen < busy + 200
        assert is_open(busy)


def test_a_port_promised_to_one_part_is_not_given_to_another() -> None:
    first = free_port()
    assert free_port(first, taken=[first]) != first


def test_secrets_outlive_the_process_and_only_their_owner_reads_them(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    token = Vault(path).secret("tokens")
    assert Vault(path).secret("tokens") == token
    assert Vault(path).secret("seal") != token
    assert len(token) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_damaged_file_of_secrets_is_said_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    path.write_text('{"tokens": "abc')
    with pytest.raises(PlaceError, match="make down CLEAN=1"):
        Vault(path)
    assert path.read_text() == '{"tokens": "abc'


def test_data_moves_aside_where_its_account_cannot_pass(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    wanted = closed / "run" / "postgres"
    assert not reachable(closed, STRANGER)
    moved = place_for(STRANGER, wanted)
    try:
        assert moved.name == "postgres"
        assert moved.parent.parent == Path("/var/tmp")
        assert place_for(STRANGER, wanted) == moved
        assert place_for(None, wanted) == wanted
    finally:
        moved.parent.rmdir()
