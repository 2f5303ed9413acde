"""Damages a file reproducibly, for `benchmarks/fuzz.py`."""

import random
import zlib
from io import BytesIO

from benchmarks.whole_files import WHOLE
from cxrbench.compare.archive import read_members, write_members

__all__ = ["damaged"]


def damaged(kind: str, number: int, seed: int = 0) -> bytes:
    """A damaged file; equal kind, number and seed give equal bytes."""
    draw = random.Random(f"{seed} {kind} {number}")
    whole = WHOLE[kind]()
    data = bytearray(draw.choice(whole))
    for _ in range(draw.choice((1, 1, 1, 2, 4, 8))):
        if data:
            draw.choice(_CHANGES)(data, draw, whole)
    if draw.random() < 0.5:
        # A wrong checksum ends the reading of nearly every file early; half of the files get valid ones.
        return _repaired_png(bytes(data)) if kind == "PNG" else bytes(data)
    return _damaged_member(draw.choice(whole), draw) if kind == "bundle" else bytes(data)


def _flip(data: bytearray, draw: random.Random, _: list[bytes]) -> None:
    for _bit in range(draw.choice((1, 3, 20))):
        data[_offset(data, draw)] ^= 1 << draw.randrange(8)


def _cut(data: bytearray, draw: random.Random, _: list[bytes]) -> None:
    del data[draw.randrange(len(data)) :]


def _splice(data: bytearray, draw: random.Random, whole: list[bytes]) -> None:
    other, start = draw.choice(whole), _offset(data, draw)
    data[start:] = (
        other[min(start, len(other)) :] if draw.random() < 0.5 else draw.choice((other, other[::-1]))
    )


def _extreme(data: bytearray, draw: random.Random, _: list[bytes]) -> None:
    width = draw.choice((1, 2, 4, 8))
    value = draw.choice((b"\0", b"\x01", b"\x7f", b"\x80", b"\xff")) * width
    start = _offset(data, draw)
    data[start : start + width] = value


def _insert(data: bytearray, draw: random.Random, _: list[bytes]) -> None:
    start = _offset(data, draw)
    data[start:start] = draw.randbytes(draw.choice((1, 2, 16, 300)))


def _delete(data: bytearray, draw: random.Random, _: list[bytes]) -> None:
    start = _offset(data, draw)
    del data[start : start + draw.choice((1, 2, 16, 300))]


def _repeat(data: bytearray, draw: random.Random, _: list[bytes]) -> None:
    start = _offset(data, draw)
    part = bytes(data[start : start + draw.choice((1, 4, 50))])
    data[start:start] = part * draw.choice((1, 2, 50))


def _text(data: bytearray, draw: random.Random, _: list[bytes]) -> None:
    start = _offset(data, draw)
    pieces = (
        b",",
        b'"',
        b"\n",
        b"\r",
        b";",
        b"-",
        b"1e999",
        b"nan",
        b"\xc3\xa9",
        b"\xff\xfe",
        b"[" * 20000,
        b"'",
    )
    data[start : start + draw.choice((0, 1, 5))] = draw.choice(pieces)


def _repaired_png(data: bytes) -> bytes:
    """The same chunks with valid checksums."""
    position, repaired = 8, bytearray(data)
    while position + 12 <= len(repaired):
        end = position + 8 + int.from_bytes(repaired[position : position + 4], "big")
        if end + 4 > len(repaired):
            break
        repaired[end : end + 4] = zlib.crc32(repaired[position + 4 : end]).to_bytes(4, "big")
        position = end + 4
    return bytes(repaired)


def _damaged_member(data: bytes, draw: random.Random) -> bytes:
    """A ZIP file with one member damaged; if that is a ZIP file itself, one of its members."""
    members = read_members(BytesIO(data), "whole")
    name = draw.choice(sorted(members))
    if members[name].startswith(b"PK"):
        members[name] = _damaged_member(members[name], draw)
    else:
        changed = bytearray(members[name])
        draw.choice(_CHANGES)(changed, draw, list(members.values()))
        members[name] = _repaired_png(bytes(changed)) if name.endswith(".png") else bytes(changed)
    return write_members(members)


_CHANGES = (_flip, _cut, _splice, _extreme, _insert, _delete, _repeat, _text)


def _offset(data: bytearray, draw: random.Random) -> int:
    """A random offset; half of them are in the first 600 bytes, where headers are."""
    return draw.randrange(min(len(data), 600) if draw.random() < 0.5 else len(data)) if data else 0
