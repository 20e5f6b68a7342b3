"""A blob comes whole, or an error says that it does not."""

import re
from collections.abc import Callable, Iterator

import pytest

from imagecheck.image.download import RESUMES, download
from imagecheck.image.errors import ImageReadError
from imagecheck.image.http import HttpClient
from tests.support.imagecheck.http_server import Answer, Request, serving

BLOB = bytes(range(256)) * 4096
HALF = len(BLOB) // 2


@pytest.fixture
def http() -> Iterator[HttpClient]:
    client = HttpClient()
    yield client
    client.close()


def read(http: HttpClient, answer: Callable[[Request], Answer], size: int = len(BLOB)) -> bytes:
    with (
        serving(answer) as server,
        download(lambda h: http.fetch("GET", server.url, h), size, "the registry") as blob,
    ):
        pieces = list(iter(lambda: blob.read(100_000), b""))
    assert {len(piece) for piece in pieces[:-1]} <= {100_000}
    return b"".join(pieces)


def whole(_: Request) -> Answer:
    return Answer(body=BLOB)


def cut(_: Request) -> Answer:
    return Answer(headers={"Content-Length": str(len(BLOB))}, body=BLOB[:HALF])


def rest(request: Request) -> Answer:
    start = int(re.findall(r"bytes=([0-9]+)-$", request.headers["range"])[0])
    return Answer(
        206, {"Content-Range": f"bytes {start}-{len(BLOB) - 1}/{len(BLOB)}"}, BLOB[start:]
    )


def in_turn(*answers: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    left = list(answers)

    def answer(request: Request) -> Answer:
        return left.pop(0)(request)

    return answer


def test_a_blob_is_read_whole(http: HttpClient) -> None:
    assert read(http, whole) == BLOB


def test_an_empty_blob_is_read(http: HttpClient) -> None:
    assert read(http, lambda _: Answer(), size=0) == b""


def test_a_broken_download_is_taken_up_where_it_broke(http: HttpClient) -> None:
    assert read(http, in_turn(cut, rest)) == BLOB


def test_a_download_that_broke_before_its_first_byte_begins_again(http: HttpClient) -> None:
    nothing = Answer(headers={"Content-Length": str(len(BLOB))})
    assert read(http, in_turn(lambda _: nothing, whole)) == BLOB


def test_a_download_that_keeps_breaking_is_given_up(http: HttpClient) -> None:
    def less(request: Request) -> Answer:
        answer = rest(request)
        length = {"Content-Length": str(len(answer.body))}
        return Answer(206, {**answer.headers, **length}, answer.body[:100_000])

    asked: list[str] = []

    def answer(request: Request) -> Answer:
        asked.append(request.headers.get("range", ""))
        return less(request) if "range" in request.headers else cut(request)

    with pytest.raises(ImageReadError, match="the registry cannot be read to the end"):
        read(http, answer)
    assert len(asked) == 1 + RESUMES


def other_part(_: Request) -> Answer:
    return Answer(206, {"Content-Range": f"bytes 0-{len(BLOB) - 1}/{len(BLOB)}"}, BLOB)


@pytest.mark.parametrize("again", [whole, other_part])
def test_a_server_that_cannot_take_up_a_broken_download_is_given_up(
    http: HttpClient, again: Callable[[Request], Answer]
) -> None:
    with pytest.raises(ImageReadError, match="from their start only"):
        read(http, in_turn(cut, again))


def test_too_short_a_blob_is_handed_on_as_it_is(http: HttpClient) -> None:
    assert read(http, lambda _: Answer(body=BLOB[:HALF])) == BLOB[:HALF]


def test_a_blob_without_end_ends_one_byte_after_its_size(http: HttpClient) -> None:
    length = {"Content-Length": str(10**12)}
    endless = Answer(headers=length, body=BLOB, endless=True)
    assert read(http, lambda _: endless, size=HALF) == BLOB[: HALF + 1]


def test_a_size_that_no_blob_has_reads_next_to_nothing(http: HttpClient) -> None:
    assert read(http, whole, size=-5) == BLOB[:1]


def test_a_blob_whose_end_cannot_be_told_from_a_break_is_refused(http: HttpClient) -> None:
    with pytest.raises(ImageReadError, match="does not say how long"):
        read(http, lambda _: Answer(headers={"Content-Length": ""}, body=BLOB))


def test_compressed_bytes_are_not_unpacked(http: HttpClient) -> None:
    gzipped = Answer(headers={"Content-Encoding": "gzip"}, body=BLOB)
    assert read(http, lambda _: gzipped) == BLOB
