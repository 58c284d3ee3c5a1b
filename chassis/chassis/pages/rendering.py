"""Templates over the shared layout, and the files that go with them under names that change with their content."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, cast

from fastapi import APIRouter, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

_SHARED: Final = Path(__file__).parent / "templates"
_SHARED_FILES: Final = ("house.css", "keys.js", "live.js", "icon.svg")
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_A_YEAR: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


@dataclass(frozen=True, slots=True)
class PageFile:
    """A file that pages ask for. Its address changes with its content, so that a browser may keep it."""

    address: str
    content: bytes
    media_type: str

    @classmethod
    def at(cls, path: Path) -> PageFile:
        content = path.read_bytes()
        return cls(f"/{path.stem}.{sha256(content).hexdigest()[:12]}{path.suffix}", content, _TYPES[path.suffix])


class Templates:
    """Renders; decides nothing.

    `folder` holds a service's own templates, which extend `layout.html` of the shared ones, and `files` names what
    its pages ask for beside the shared files. `words` are what every template may say.
    """

    def __init__(self, folder: Path, files: tuple[str, ...], words: Mapping[str, Any]) -> None:
        self._files = {name: PageFile.at(_SHARED / name) for name in _SHARED_FILES}
        self._files |= {name: PageFile.at(folder / name) for name in files}
        self._environment = Environment(
            loader=FileSystemLoader([folder, _SHARED]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        cast("dict[str, Any]", self._environment.globals).update(words, address=self._address)

    @property
    def files(self) -> tuple[PageFile, ...]:
        return tuple(self._files.values())

    def _address(self, name: str) -> str:
        return self._files[name].address

    def render(self, name: str, context: Mapping[str, Any]) -> str:
        return self._environment.get_template(name).render(context).strip()


def page_files(files: Iterable[PageFile]) -> APIRouter:
    """The files that go with the pages. They say nothing of anybody and are open to all."""
    router = APIRouter(include_in_schema=False)
    for file in files:
        router.add_api_route(file.address, _answer(file), methods=["GET"])
    return router


def _answer(file: PageFile) -> Callable[[], Awaitable[Response]]:
    async def answer() -> Response:
        return Response(file.content, media_type=file.media_type, headers=_A_YEAR)

    return answer
