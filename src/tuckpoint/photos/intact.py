"""Whether the bytes of a picture file are as they were written: signatures, lengths, checksums, newline bytes."""

from __future__ import annotations

import re
import struct
import zlib

SIGNATURES: tuple[tuple[str, bytes], ...] = (
    ("PNG", b"\x89PNG\r\n\x1a\n"),
    ("JPEG", b"\xff\xd8\xff"),
    ("GIF", b"GIF8"),
    ("BMP", b"BM"),
    ("TIFF", b"II*\x00"),
    ("TIFF", b"MM\x00*"),
)
SUFFIXES = {
    ".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".gif": "GIF", ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF",
    ".webp": "WebP", ".ppm": "PNM", ".pgm": "PNM", ".pnm": "PNM",
}  # fmt: skip
NETPBM = re.compile(rb"P([56])\s+(?:#[^\n]*\n\s*)*(\d+)\s+(?:#[^\n]*\n\s*)*(\d+)\s+(?:#[^\n]*\n\s*)*(\d+)\s")
LINES = 8  # line feeds, all after a carriage return, from which on chance (256**-8) is no explanation
CHECKED = 4 << 20  # bytes of a chunk whose checksum is computed


def kind_of(data: bytes) -> str | None:
    """The kind of picture that the first bytes say, or None."""
    for kind, start in SIGNATURES:
        if data.startswith(start):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WebP"
    return "PNM" if re.match(rb"P[1-7]\s", data) else None


def faults(data: bytes, suffix: str) -> list[tuple[str, str]]:
    """What is wrong with the bytes (kind of fault, what was found); empty for a file that looks whole.

    A transfer in text mode, or a repository that ends lines for another system, writes 0D 0A for each byte 0A. PNG was
    given its signature to catch that (ISO/IEC 15948, 5.2); PPM, BMP and JPEG still open, with other colours.
    """
    if not data:
        return [("empty file", "0 bytes")]
    if not any(data[:4096]) and not any(data):
        return [("empty file", "all bytes are zero")]
    found = newlines(data)
    kind, said = kind_of(data), SUFFIXES.get(suffix.lower())
    if kind is not None and said is not None and kind != said:
        found.append(("wrong type", f"named {suffix}, but its bytes are {kind}"))
    if kind == "PNG":
        found += _png(data)
    elif kind == "PNM" and not found:
        found += _netpbm(data)
    elif kind == "BMP" and not found and len(data) >= 6:
        said_bytes = struct.unpack("<I", data[2:6])[0]
        if said_bytes and said_bytes != len(data):
            found.append(("wrong length", f"{len(data):,} bytes where its header says {said_bytes:,}"))
    elif kind == "JPEG" and b"\xff\xd9" not in data[-4096:]:
        found.append(("truncated", "no end of image marker"))
    return found


def newlines(data: bytes) -> list[tuple[str, str]]:
    """Signs that newline bytes were rewritten."""
    if data.startswith((b"\x89PNG\r\r\n", b"\x89PNG\n", b"\x89PNG\r\n\x1a\r\n", b"\x89PNG\r\x1a\r")):
        return [("newlines rewritten", "its PNG signature was changed by a transfer in text mode")]
    lines = data.count(b"\n")
    if lines >= LINES and data.count(b"\r\n") == lines:
        return [("newlines rewritten", f"all {lines:,} bytes 0A stand behind a 0D: its colours are not those it had")]
    return []


def _netpbm(data: bytes) -> list[tuple[str, str]]:
    head = NETPBM.match(data[:1024])
    if head is None:
        return []
    form, width, height, most = (int(part) for part in head.groups())
    wanted = head.end() + width * height * (3 if form == 6 else 1) * (2 if most > 255 else 1)
    if len(data) == wanted:
        return []
    if data[head.end() - 1 : head.end() + 1] == b"\r\n" and len(data) > wanted:
        return [("newlines rewritten", f"its header ends in 0D 0A, and {len(data) - wanted:,} bytes are too many")]
    kind = "truncated" if len(data) < wanted else "wrong length"
    return [(kind, f"{len(data):,} bytes where its header says {wanted:,}")]


def _png(data: bytes) -> list[tuple[str, str]]:
    """Chunks: length, name, content and checksum (ISO/IEC 15948, 5.3)."""
    at = 8
    while at + 12 <= len(data):
        length, name = struct.unpack(">I4s", data[at : at + 8])
        end = at + 12 + length
        if end > len(data):
            return [("truncated", f"it ends inside its chunk {name.decode('latin-1')}")]
        if length <= CHECKED and zlib.crc32(data[at + 4 : end - 4]) != struct.unpack(">I", data[end - 4 : end])[0]:
            return [("wrong checksum", f"of its chunk {name.decode('latin-1')}")]
        if name == b"IEND":
            return []
        at = end
    return [("truncated", "its last chunk is missing")]
