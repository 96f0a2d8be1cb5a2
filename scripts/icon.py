"""Draw .claude-plugin/icon.png: lines of a log, the newest bright, under a turning-back arrow. No library: PNG is zlib and sums."""

from __future__ import annotations

import math
import struct
import zlib
from pathlib import Path

SIDE, FINE = 512, 2  # pixels; samples per pixel and direction
BACK, LINES, ARROW = (24, 33, 48), [(70, 92, 120), (104, 140, 178), (240, 196, 92)], (240, 196, 92)


def inside_box(x: float, y: float, left: float, top: float, right: float, bottom: float, radius: float) -> bool:
    """Whether a point lies in a box with round corners."""
    dx = max(left + radius - x, x - (right - radius), 0)
    dy = max(top + radius - y, y - (bottom - radius), 0)
    return left <= x <= right and top <= y <= bottom and math.hypot(dx, dy) <= radius


def colour(x: float, y: float) -> tuple[int, int, int, int]:
    """The colour of a point, both coordinates 0 to 1."""
    if not inside_box(x, y, 0, 0, 1, 1, 0.2):
        return (0, 0, 0, 0)
    for number, line in enumerate(LINES):
        top = 0.56 + number * 0.13
        if inside_box(x, y, 0.2, top, 0.62 + 0.09 * number, top + 0.07, 0.035):
            return (*line, 255)
    dx, dy = x - 0.5, y - 0.34
    far, turn = math.hypot(dx, dy), math.degrees(math.atan2(dy, dx))
    if 0.125 <= far <= 0.185 and -165 <= turn <= 90:
        return (*ARROW, 255)
    if 0.3 <= y <= 0.43 and abs(x - 0.345) <= (0.43 - y) * 0.8:
        return (*ARROW, 255)
    return (*BACK, 255)


def picture() -> bytes:
    """The PNG file."""
    rows = bytearray()
    for py in range(SIDE):
        rows.append(0)
        for px in range(SIDE):
            samples = [
                colour((px + (i + 0.5) / FINE) / SIDE, (py + (j + 0.5) / FINE) / SIDE)
                for i in range(FINE)
                for j in range(FINE)
            ]
            alpha = sum(each[3] for each in samples)
            rows += bytes(sum(each[c] * each[3] for each in samples) // max(alpha, 1) for c in range(3))
            rows.append(alpha // len(samples))

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 6, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(bytes(rows), 9))
        + chunk(b"IEND", b"")
    )


if __name__ == "__main__":
    Path(__file__).resolve().parent.parent.joinpath(".claude-plugin", "icon.png").write_bytes(picture())
