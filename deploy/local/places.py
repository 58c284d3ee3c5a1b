"""Where things lie on disk, and which account may reach them."""

import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


def home() -> Path:
    """The ignored folder that holds everything we write: `.stillwater/`, or where STILLWATER_HOME points."""
    return Path(os.environ.get("STILLWATER_HOME") or PROJECT / ".stillwater").absolute()


def cache() -> Path:
    """Downloads and what was prepared from them. Safe to delete: `make setup` brings it back."""
    return home() / "cache"


def private_folder(path: Path) -> Path:
    """Makes the folder (and its parents), readable by its owner alone."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


@dataclass(frozen=True)
class Account:
    """An operating-system account."""

    name: str
    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """Whom Postgres runs as, since it refuses to run as root. None: whoever we are already will do.

    Run by root, that is the project's owner if it has another one, else the system's own `postgres`,
    else `nobody`. No account is ever created.
    """
    if os.geteuid() != 0:
        return None
    owner = PROJECT.stat().st_uid
    if owner != 0:
        try:
            entry = pwd.getpwuid(owner)
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
        except KeyError:
            pass
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
            return Account(name, entry.pw_uid, entry.pw_gid)
        except KeyError:
            continue
    raise PlaceError(
        "Postgres refuses to run as root, and this machine has neither a `postgres` nor a `nobody` account. "
        "Run the same command as an ordinary user."
    )


class PlaceError(Exception):
    """A folder or an account is not fit for use. The text says what to do."""


def reachable(path: Path, account: Account | None) -> bool:
    """Whether the account may pass through every folder down to this one."""
    if account is None:
        return True
    return all(_passable(folder.stat(), account) for folder in (path, *path.parents))


def _passable(status: os.stat_result, account: Account) -> bool:
    if status.st_uid == account.uid:
        return bool(status.st_mode & stat.S_IXUSR)
    if status.st_gid == account.gid:
        return bool(status.st_mode & stat.S_IXGRP)
    return bool(status.st_mode & stat.S_IXOTH)


def place_for(account: Account | None, wanted: Path) -> Path:
    """`wanted`, or a folder under /var/tmp that stands in for it where the account cannot reach it.

    A project under a closed home folder such as /root is out of the reach of the account that Postgres runs
    as. Opening that folder is not ours to do, so the data moves to a folder named after the wanted one.
    """
    wanted.parent.mkdir(parents=True, exist_ok=True)
    if reachable(wanted.parent, account):
        return wanted
    stand_in = stand_in_for(wanted)
    stand_in.mkdir(mode=0o711, exist_ok=True)
    if stand_in.is_symlink() or stand_in.stat().st_uid != os.geteuid():
        raise PlaceError(f"{stand_in} belongs to somebody else. Remove it and try again.")
    return stand_in / wanted.name


def stand_in_for(wanted: Path) -> Path:
    """The folder under /var/tmp that takes the place of `wanted.parent` where that is out of reach."""
    return Path("/var/tmp") / f"stillwater-{hashlib.sha256(str(wanted).encode()).hexdigest()[:12]}"  # noqa: S108 - checked for ownership
