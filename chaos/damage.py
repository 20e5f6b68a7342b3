"""Damages an answer on its way. Each function returns the bytes that arrive instead.

Unless it is said otherwise, the connection is closed after them.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from chaos.message import CHECKSUM, Response

if TYPE_CHECKING:
    import random


def cut_in_status_line(response: Response, rng: random.Random) -> bytes:
    """End within the first line, at least after the status."""
    return response.head[: rng.randint(12, len(response.lines[0]))]


def cut_in_first_letters(response: Response, rng: random.Random) -> bytes:
    """End before the status can be read."""
    return response.head[: rng.randint(1, 11)]


def cut_in_headers(response: Response, rng: random.Random) -> bytes:
    """End within the headers."""
    return response.head[: rng.randint(len(response.lines[0]) + 1, len(response.head) - 3)]


def cut_after_head(response: Response, _rng: random.Random) -> bytes:
    """End before the body."""
    return response.head


def cut_in_body(response: Response, rng: random.Random) -> bytes:
    """End within the body."""
    return response.head + response.body[: rng.randint(1, max(1, len(response.body) - 1))]


def cut_in_letter(response: Response, _rng: random.Random) -> bytes:
    """End within a letter that has several bytes; within the body, where there is none."""
    place = next((at for at, byte in enumerate(response.body) if byte >= 0xC0), None)
    return response.head + response.body[: len(response.body) // 2 if place is None else place + 1]


def garbage(response: Response, rng: random.Random) -> bytes:
    """Have other bytes as body, of the same length."""
    return response.head + rng.randbytes(len(response.body))


def other_json(response: Response, _rng: random.Random) -> bytes:
    """Have JSON of another shape as body, and the checksum of the right one."""
    body = b'{"Item": 5, "Attributes": [], "__type": {}}'
    return Response(response.with_header("Content-Length", str(len(body))).lines, body).data


def blank(_response: Response, _rng: random.Random) -> bytes:
    """Be an empty success without a checksum."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


def empty_object(_response: Response, _rng: random.Random) -> bytes:
    """Be an empty object without a checksum."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


def html_page(_response: Response, _rng: random.Random) -> bytes:
    """Be somebody's page, as a success."""
    body = b"<!doctype html><title>Welcome</title>"
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body)
    return head + body


def wrong_checksum(response: Response, rng: random.Random) -> bytes:
    """Have the checksum of another body."""
    other = zlib.crc32(response.body) ^ (1 << rng.randrange(32))
    return response.with_checksum(str(other)).data


def no_checksum(response: Response, _rng: random.Random) -> bytes:
    """Have no checksum."""
    return response.with_checksum(None).data


def checksum_of_letters(response: Response, _rng: random.Random) -> bytes:
    """Have a checksum that is no number."""
    return response.with_checksum("unknown").data


def flipped_bit_in_head(response: Response, rng: random.Random) -> bytes:
    """Have one other bit in the head."""
    return _flipped(response.head, rng) + response.body


def flipped_bit_in_body(response: Response, rng: random.Random) -> bytes:
    """Have one other bit in the body.

    The table's errors have no checksum: there TLS alone would tell, and would end the connection.
    """
    if not response.header(CHECKSUM):
        return cut_in_body(response, rng)
    return response.head + _flipped(response.body, rng)


def longer_than_it_is(response: Response, rng: random.Random) -> bytes:
    """Promise more bytes than come."""
    length = len(response.body) + rng.randint(1, 200)
    return response.with_header("Content-Length", str(length)).data


def shorter_than_it_is(response: Response, rng: random.Random) -> bytes:
    """Promise fewer bytes than come."""
    length = rng.randint(0, max(0, len(response.body) - 1))
    return response.with_header("Content-Length", str(length)).data


def no_http(_response: Response, rng: random.Random) -> bytes:
    """Be no HTTP at all."""
    return rng.randbytes(64)


def _flipped(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)
