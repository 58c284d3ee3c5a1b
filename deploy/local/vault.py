"""Secrets made up on this machine, kept in one file that only its owner may read."""

import json
import os
import secrets
from pathlib import Path

from deploy.local.places import PlaceError


class Vault:
    """Named secrets. One that is asked for the first time is made up and kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._secrets: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        except ValueError as problem:
            raise PlaceError(
                f"{path} is damaged, and with it the passwords of the data beside it. "
                "If you do not need that data: make down CLEAN=1"
            ) from problem

    def secret(self, name: str) -> str:
        """43 URL-safe characters, 256 bits."""
        if name not in self._secrets:
            self._secrets[name] = secrets.token_urlsafe(32)
            self._keep()
        return self._secrets[name]

    def _keep(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_name(self._path.name + ".new")
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(self._secrets, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)
