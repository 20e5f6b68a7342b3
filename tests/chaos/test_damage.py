"""Every damage changes the answer, in the way that its name says."""

import inspect
import random
import zlib
from collections.abc import Callable

import pytest

from chaos import damage
from chaos.message import Response

Damage = Callable[[Response, random.Random], bytes]

BODY = '{"Item":{"name":{"S":"ひま"}}}'.encode()
ANSWER = Response(
    ("HTTP/1.1 200 OK", f"x-amz-crc32: {zlib.crc32(BODY)}", f"Content-Length: {len(BODY)}"), BODY
)
DAMAGES = {
    name: function
    for name, function in inspect.getmembers(damage, inspect.isfunction)
    if function.__module__ == damage.__name__ and not name.startswith("_")
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_arrives_is_never_the_answer(name: str) -> None:
    for seed in range(200):
        assert DAMAGES[name](ANSWER, random.Random(seed)) != ANSWER.data


@pytest.mark.parametrize("name", [name for name in DAMAGES if name.startswith("cut")])
def test_a_cut_answer_is_a_beginning_of_it(name: str) -> None:
    for seed in range(200):
        assert ANSWER.data.startswith(DAMAGES[name](ANSWER, random.Random(seed)))


def test_each_cut_is_where_it_says() -> None:
    head = ANSWER.head
    for seed in range(200):
        rng = random.Random(seed)
        assert damage.cut_in_status_line(ANSWER, rng).startswith(b"HTTP/1.1 200")
        assert b"\r\n" not in damage.cut_in_status_line(ANSWER, rng)
        assert b"\r\n\r\n" not in damage.cut_in_headers(ANSWER, rng)
        assert head < damage.cut_in_body(ANSWER, rng) < ANSWER.data
    with pytest.raises(UnicodeDecodeError, match="unexpected end of data"):
        damage.cut_in_letter(ANSWER, rng)[len(head) :].decode()


@pytest.mark.parametrize("name", ["flipped_bit_in_head", "flipped_bit_in_body"])
def test_a_flipped_bit_is_one_bit(name: str) -> None:
    for seed in range(200):
        arrived = DAMAGES[name](ANSWER, random.Random(seed))
        other = int.from_bytes(arrived) ^ int.from_bytes(ANSWER.data)
        assert other.bit_count() == 1


def test_a_body_without_letters_of_several_bytes_is_cut_as_well() -> None:
    answer = Response(ANSWER.lines, b"{}")

    assert damage.cut_in_letter(answer, random.Random(1)) == answer.head + b"{"


def test_what_only_tls_could_tell_ends_the_answer() -> None:
    error = ANSWER.with_checksum(None)
    arrived = damage.flipped_bit_in_body(error, random.Random(1))

    assert error.data.startswith(arrived)
    assert arrived != error.data
