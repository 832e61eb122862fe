"""Pictures of a page in few bytes: at most 256 colours, one byte a pixel (PNG, RFC 2083)."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_COLOURS = 256
TRUE_COLOUR, WITH_ALPHA, PALETTE = 2, 6, 3

Colour = tuple[int, int, int]


def smaller(picture: bytes) -> bytes:
    """The same picture with 256 of its colours; each other one becomes the nearest of those.

    Raises ValueError for anything but 8-bit colours, not interlaced, as browsers write them.
    """
    parts = list(_chunks(picture))
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", parts[0][1])
    if depth != 8 or kind not in {TRUE_COLOUR, WITH_ALPHA} or interlaced:
        raise ValueError(f"a PNG of {depth} bits and colour type {kind} is not read here")
    size = 3 if kind == TRUE_COLOUR else 4
    packed = b"".join(data for name, data in parts if name == b"IDAT")
    lines = list(_lines(zlib.decompress(packed), width * size, size))
    pixels = [_pixels(line, size) for line in lines]
    return _written(width, height, pixels)


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not picture.startswith(SIGNATURE):
        raise ValueError("this is no PNG")
    at = len(SIGNATURE)
    while at < len(picture):
        (length,) = struct.unpack_from(">I", picture, at)
        yield picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        at += length + 12


def _lines(packed: bytes, length: int, size: int) -> Iterator[bytes]:
    """Each line as it was before its filter (section 6)."""
    above = bytes(length)
    for start in range(0, len(packed), length + 1):
        line = bytearray(packed[start + 1 : start + 1 + length])
        _unfilter(packed[start], line, above, size)
        above = bytes(line)
        yield above


def _unfilter(kind: int, line: bytearray, above: bytes, size: int) -> None:
    for place in range(len(line)):
        left = line[place - size] if place >= size else 0
        corner = above[place - size] if place >= size else 0
        guess = (0, left, above[place], (left + above[place]) // 2, 0)[kind]
        if kind == 4:
            guess = _paeth(left, above[place], corner)
        line[place] = (line[place] + guess) & 0xFF


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda each: abs(guess - each))


def _pixels(line: bytes, size: int) -> list[Colour]:
    return list(zip(line[0::size], line[1::size], line[2::size], strict=True))


def _written(width: int, height: int, pixels: list[list[Colour]]) -> bytes:
    counted = Counter(colour for line in pixels for colour in line)
    palette, numbers = _chosen(counted)
    rows = b"".join(b"\0" + bytes(numbers[colour] for colour in line) for line in pixels)
    head = struct.pack(">IIBBBBB", width, height, 8, PALETTE, 0, 0, 0)
    colours = bytes(value for colour in palette for value in colour)
    body = zlib.compress(rows, 9)
    parts = ((b"IHDR", head), (b"PLTE", colours), (b"IDAT", body), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(name, data) for name, data in parts)


def _chosen(counted: Counter[Colour]) -> tuple[list[Colour], dict[Colour, int]]:
    """A palette, and each colour's number in it.

    The next one is always the colour that has been missed most: often there and far from all that
    were chosen, so that a small red mark stays red.
    """
    palette: list[Colour] = []
    numbers = dict.fromkeys(counted, 0)
    missed = dict.fromkeys(counted, 3 * 255**2)
    while len(palette) < MOST_COLOURS and any(missed.values()):
        wanted = max(counted, key=lambda colour: counted[colour] * missed[colour])
        palette.append(wanted)
        for colour, far in missed.items():
            distance = _distance(colour, wanted)
            if distance < far:
                missed[colour], numbers[colour] = distance, len(palette) - 1
    return palette, numbers


def _distance(one: Colour, other: Colour) -> int:
    return (one[0] - other[0]) ** 2 + (one[1] - other[1]) ** 2 + (one[2] - other[2]) ** 2


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
