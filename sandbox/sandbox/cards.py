"""Insurance cards as people photograph them: drawn from layouts, then turned, blurred and encoded.

The layouts are data, one YAML file each. ``building`` holds those that everything may use; ``held_out`` those
that are kept for measuring how well cards are read, and for nothing else. Fonts are Pillow's own and those that
come as packages, so that a card looks the same on every machine. Pillow is imported when the first card is
drawn, not before.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import yaml

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont, ImageFont

Shelf = Literal["building", "held_out"]
ImageFormat = Literal["JPEG", "PNG", "WEBP", "HEIF"]
QuarterTurn = Literal[0, 90, 180, 270]

# How a viewer turns the stored pixels, counter-clockwise, for each EXIF orientation without mirroring.
# Source: CIPA DC-008 (Exif 2.32), tag 274.
EXIF_TURNS: Mapping[int, QuarterTurn] = {1: 0, 3: 180, 6: 270, 8: 90}

FIRST_NAMES = (
    *("Maria", "James", "Aisha", "Robert", "Linh", "Patricia", "Omar"),
    *("Jennifer", "Carlos", "Susan", "Wei", "Thomas", "Olga", "Daniel"),
)
LAST_NAMES = (
    *("Alvarez", "Johnson", "Rahman", "O'Neill", "Nguyen", "Smith", "Haddad"),
    *("Kowalski", "Diaz", "Sorensen", "Chen", "Baker", "Iyer"),
)


@dataclass(frozen=True, slots=True)
class CardFields:
    """What is true of the card: the four things to be read, as printed, and what else is printed."""

    payer: str
    member_id: str
    group: str | None
    holder: str
    others: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Layout:
    """One design of card: its size in pixels, its colours, and what is printed where on front and back."""

    name: str
    payers: tuple[str, ...]
    member_id: str
    group: str | None
    size: tuple[int, int]
    background: str
    bands: tuple[Mapping[str, Any], ...]
    styles: Mapping[str, Mapping[str, Any]]
    front: tuple[tuple[str, int, int, str], ...]
    back: tuple[tuple[str, int, int, str], ...]


def layout_names(shelf: Shelf = "building") -> tuple[str, ...]:
    """Names of all layouts on a shelf, sorted."""
    return tuple(sorted(_layouts(shelf)))


def layout(name: str) -> Layout:
    """The layout of that name, from either shelf. Raises KeyError naming those there are."""
    for shelf in ("building", "held_out"):
        if name in _layouts(shelf):
            return _layouts(shelf)[name]
    known = ", ".join(layout_names("building") + layout_names("held_out"))
    raise KeyError(f"no card layout named {name!r}; there are: {known}")


def sample_fields(layout_name: str, seed: int) -> CardFields:
    """Made-up but plausible fields in the number formats that this layout's payers print."""
    chosen = layout(layout_name)
    rng = random.Random(f"{layout_name}/{seed}")
    holder = f"{rng.choice(FIRST_NAMES)} {rng.choice('ABCDEJLMRST')} {rng.choice(LAST_NAMES)}"
    return CardFields(
        payer=rng.choice(chosen.payers),
        member_id=_numbered(chosen.member_id, rng),
        group=_numbered(chosen.group, rng) if chosen.group else None,
        holder=rng.choice([holder, holder.upper()]),
    )


def draw_card(fields: CardFields, layout_name: str, seed: int) -> tuple[Image, Image]:
    """Front and back of a card, as flat RGB images, the same for the same arguments."""
    chosen = layout(layout_name)
    words = _surroundings(random.Random(f"{layout_name}/{seed}/around")) | dict(fields.others)
    words |= {
        "payer": fields.payer,
        "PAYER": fields.payer.upper(),
        "member_id": fields.member_id,
        "member_head": _head(fields.member_id),
        "member_tail": fields.member_id.removeprefix(_head(fields.member_id)).strip(),
        "group": fields.group or "",
        "holder": fields.holder,
        "HOLDER": fields.holder.upper(),
    }
    return _draw_side(chosen, chosen.front, words, banded=True), _draw_side(chosen, chosen.back, words, banded=False)


def photograph(
    card: Image,
    seed: int,
    *,
    angle: float | None = None,
    tilt: float = 0.02,
    noise: float = 10.0,
    blur: float = 0.7,
    turn: QuarterTurn = 0,
    long_side: int = 1600,
) -> Image:
    """A phone's picture of a card on a table.

    ``angle`` turns it by degrees (by default up to ±4), ``tilt`` moves the corners by up to that share of the
    card's side, ``noise`` is the sensor noise's standard deviation out of 255, ``blur`` a radius in pixels,
    ``turn`` whole quarter turns counter-clockwise, ``long_side`` the picture's longer side in pixels.
    """
    from PIL import Image, ImageChops, ImageFilter

    rng = random.Random(f"photo/{seed}")
    angle = rng.uniform(-4, 4) if angle is None else angle
    margin = rng.uniform(0.06, 0.16)
    width, height = round(card.width * (1 + 2 * margin)), round(card.height * (1 + 2 * margin))
    table = _table(width, height, rng)
    left, top = round(card.width * margin), round(card.height * margin)
    shape = Image.new("L", (width, height), 0)
    shape.paste(255, (left, top, left + card.width, top + card.height))
    laid = Image.new("RGB", (width, height))
    laid.paste(card, (left, top))
    seen = _perspective(width, height, tilt, rng)
    laid, shape = (
        picture.transform((width, height), Image.Transform.PERSPECTIVE, seen, Image.Resampling.BICUBIC).rotate(
            angle, Image.Resampling.BICUBIC
        )
        for picture in (laid, shape)
    )
    photo = Image.composite(laid, table, shape)
    photo = ImageChops.multiply(photo, _light(width, height, rng))
    scale = long_side / max(photo.size)
    photo = photo.resize((round(width * scale), round(height * scale)), Image.Resampling.LANCZOS)
    photo = photo.filter(ImageFilter.GaussianBlur(blur))
    if noise > 0:
        photo = ImageChops.add(photo, _grain(photo.size, noise, rng, "RGB"), scale=1, offset=-128)
    return photo.rotate(turn, expand=True)


def encode(picture: Image, image_format: ImageFormat, *, quality: int = 88, exif_orientation: int = 1) -> bytes:
    """The picture as a file's bytes; with an EXIF orientation, the pixels are stored turned and the tag says so."""
    import pillow_heif

    pillow_heif.register_heif_opener()
    options: dict[str, Any] = {}
    if exif_orientation != 1:
        exif = picture.getexif()
        exif[0x0112] = exif_orientation
        options["exif"] = exif.tobytes()
        picture = picture.rotate(-EXIF_TURNS[exif_orientation], expand=True)
    if image_format != "PNG":
        options["quality"] = quality
    file = io.BytesIO()
    picture.save(file, image_format, **options)
    return file.getvalue()


@cache
def _layouts(shelf: Shelf) -> Mapping[str, Layout]:
    folder = files("sandbox") / "card_layouts" / shelf
    return {read.name: read for read in _read_layouts(folder)}


def _read_layouts(folder: Any) -> Iterator[Layout]:
    for file in folder.iterdir():
        if not file.name.endswith(".yaml"):
            continue
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
        yield Layout(
            name=file.name.removesuffix(".yaml"),
            payers=tuple(raw["payers"]),
            member_id=raw["member_id"],
            group=raw.get("group"),
            size=(raw.get("width", 1012), raw.get("height", 638)),
            background=raw["background"],
            bands=tuple(raw.get("bands", ())),
            styles=raw["styles"],
            front=tuple((style, x, y, text) for style, x, y, text in raw["front"]),
            back=tuple((style, x, y, text) for style, x, y, text in raw["back"]),
        )


def _numbered(pattern: str, rng: random.Random) -> str:
    """``#`` becomes a digit, ``@`` a letter that no digit looks like, ``?`` any letter; the rest stays."""
    made = {"#": "0123456789", "@": "ACEFHJKMNPRTUWXY", "?": "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
    return "".join(rng.choice(made[character]) if character in made else character for character in pattern)


def _head(member_id: str) -> str:
    """The letters before a number's digits, which some cards print apart from them."""
    return member_id[: len(member_id) - len(member_id.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))]


def _surroundings(rng: random.Random) -> dict[str, str]:
    """What else a card prints: numbers of plans, pharmacies and telephones, dates, names and amounts."""

    def digits(pattern: str) -> str:
        return _numbered(pattern, rng)

    return {
        "rx_bin": rng.choice(["610502", "004336", "610014", "003858", "015581"]),
        "rx_pcn": rng.choice(["ADV", "A4", "MEDDADV", "03200000", "IRX"]),
        "rx_group": rng.choice(["RX", "GRP", ""]) + digits("@@##"),
        "issuer": digits("9#########"),
        "plan": rng.choice(["PPO", "HMO", "Choice Plus", "Open Access Plus", "Gold 1500", "EPO Silver"]),
        "plan_code": digits("##5/#55"),
        "phone": digits("1-800-###-####"),
        "phone2": digits("(888) ###-####"),
        "doctor": f"Dr. {rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}",
        "effective": date(rng.randint(2021, 2026), rng.randint(1, 12), 1).strftime("%m/%d/%Y"),
        "born": date(rng.randint(1945, 2005), rng.randint(1, 12), rng.randint(1, 28)).strftime("%m/%d/%Y"),
        "payer_id": digits("#####"),
        "medicaid_id": digits("@@#####@"),
        "office": f"${rng.choice([10, 20, 25, 30, 40])}",
        "specialist": f"${rng.choice([40, 50, 60, 75])}",
        "emergency": f"${rng.choice([150, 250, 300, 500])}",
        "deductible": f"${rng.choice([500, 1500, 2500, 6000]):,}",
        "employer": rng.choice(["Lakeside Tool & Die", "City of Fairview", "Acme Staffing LLC", "Orion Health"]),
        "box": digits("P.O. Box #####"),
        "town": rng.choice(["Columbus, OH 43216", "El Paso, TX 79998", "Atlanta, GA 30374", "Eagan, MN 55121"]),
        "form": digits("FRM-#####-@ (0#/2#)"),
        "dependent": f"{rng.choice(FIRST_NAMES)} {rng.choice(LAST_NAMES)}",
    }


def _draw_side(
    chosen: Layout, lines: tuple[tuple[str, int, int, str], ...], words: Mapping[str, str], *, banded: bool
) -> Image:
    from PIL import Image, ImageDraw

    side = Image.new("RGB", chosen.size, chosen.background)
    pen = ImageDraw.Draw(side)
    for band in chosen.bands if banded else ():
        pen.rectangle(tuple(band["box"]), fill=band["fill"])
    for style_name, x, y, text in lines:
        _write(side, chosen.styles[style_name], x, y, text.format_map(words))
    return side


def _write(side: Image, style: Mapping[str, Any], x: int, y: int, text: str) -> None:
    """Write a line. ``font`` names its family, ``stretch`` widens or narrows it, ``bold`` thickens it.

    It begins at x; ``right`` ends it there, ``centre`` puts its middle there.
    """
    from PIL import Image, ImageDraw

    if not text.strip():
        return
    fine = 2  # drawn at twice the size, so that strokes can be half a pixel
    size = style["size"] * fine
    font = _font(style.get("font"), size)
    weight = max(1, round(size / 32)) if style.get("bold") else 0
    tracking = weight + style.get("tracking", 0) * fine
    places = [font.getlength(text[:end]) + tracking * end for end in range(len(text) + 1)]
    patch = Image.new("L", (round(places[-1]) + 2 * weight, round(size * 1.3)), 0)
    pen = ImageDraw.Draw(patch)
    for character, place in zip(text, places, strict=False):
        pen.text((place + weight, weight), character, fill=255, font=font, stroke_width=weight)
    width = max(1, round(patch.width / fine * style.get("stretch", 1.0)))
    patch = patch.resize((width, patch.height // fine), Image.Resampling.LANCZOS)
    left = x - width if style.get("right") else x - width // 2 if style.get("centre") else x
    side.paste(Image.new("RGB", patch.size, style["colour"]), (left, y), patch)


def _font(family: str | None, size: int) -> FreeTypeFont | ImageFont:
    """Pillow's own font, or a family from a ``fontpkg-…`` package. Raises fontpkg's error if that is missing."""
    import fontpkg
    from PIL import ImageFont

    return ImageFont.truetype(fontpkg.path(family), size) if family else ImageFont.load_default(size)


def _table(width: int, height: int, rng: random.Random) -> Image:
    from PIL import Image, ImageChops

    shade = rng.choice([(96, 70, 48), (205, 200, 190), (52, 54, 60), (150, 120, 90), (225, 222, 216)])
    grain = _grain((max(1, width // 24), height), 22, rng, "L").resize((width, height))
    plain = Image.new("RGB", (width, height), shade)
    return ImageChops.add(plain, Image.merge("RGB", [grain] * 3), scale=1, offset=-128)


def _grain(size: tuple[int, int], deviation: float, rng: random.Random, mode: Literal["L", "RGB"]) -> Image:
    """Noise about 128 with that standard deviation; Pillow's own cannot be seeded."""
    from PIL import Image, ImageChops

    # The mean of two even spreads is a triangle of deviation 255 / √24.
    length = size[0] * size[1] * len(mode)
    even = (Image.frombytes(mode, size, rng.randbytes(length)) for _ in range(2))
    peaked = ImageChops.add(*even, scale=2)
    levels = [round(128 + (level - 127.5) * deviation * 24**0.5 / 255) for level in range(256)]
    return peaked.point([min(255, max(0, level)) for level in levels] * len(mode))


def _light(width: int, height: int, rng: random.Random) -> Image:
    """Brighter at one side than at the other, by up to a third."""
    from PIL import Image

    gradient = Image.linear_gradient("L").rotate(rng.choice([0, 90, 180, 270])).resize((width, height))
    floor = rng.randint(165, 225)
    levels = [round(floor + level * (255 - floor) / 255) for level in range(256)]
    return Image.merge("RGB", [gradient.point(levels)] * 3)


def _perspective(width: int, height: int, tilt: float, rng: random.Random) -> tuple[float, ...]:
    """Coefficients for Pillow's PERSPECTIVE transform: x' = (ax + by + c) / (gx + hy + 1), and so for y'."""
    g, h = rng.uniform(-tilt, tilt) / width, rng.uniform(-tilt, tilt) / height
    shear_x, shear_y = rng.uniform(-tilt, tilt), rng.uniform(-tilt, tilt) / 2
    a, b, d, e = 1 + g * width / 2, shear_x, shear_y, 1 + h * height / 2
    c, f = -shear_x * height / 2, -shear_y * width / 2
    return (a, b, c, d, e, f, g, h)
