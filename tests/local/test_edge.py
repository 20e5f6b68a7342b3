"""The emulated CloudFront edge, with a fake clock."""

import json
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse
from werkzeug.wrappers import Request, Response

from local.client_limit import ClientLimit
from local.distribution import Behavior, Caching, DeployedDistribution
from local.edge import Edge, OriginResponse

NOTHING = Caching(minimum_s=0, default_s=0, maximum_s=0, gzip=False)
SECOND = Caching(minimum_s=1, default_s=1, maximum_s=1, key_headers=["origin"], gzip=True)
LONG = Caching(minimum_s=1, default_s=100, maximum_s=1000, gzip=True)
API = "abc.execute-api.example"
ALL = frozenset({"GET", "HEAD", "OPTIONS", "POST", "DELETE"})


def behavior(pattern: str, methods: Iterable[str], caching: Caching, bucket: str = "") -> Behavior:
    return Behavior(
        pattern=pattern,
        methods=frozenset(methods),
        bucket=bucket or None,
        domain="page.s3.example" if bucket else API,
        caching=caching,
        compress=True,
        headers={"x-frame-options": "DENY"},
    )


DISTRIBUTION = DeployedDistribution(
    root_object="index.html",
    behaviors=[
        behavior("/rooms/*/leave", ALL, NOTHING),
        behavior("/rooms/*", ("GET", "HEAD", "OPTIONS"), SECOND),
        behavior("/rooms", ALL, NOTHING),
        behavior("*", ("GET", "HEAD"), LONG, "page"),
    ],
    error_seconds={404: 2},
)


class World:
    """An edge, an API that says what the test says, and a bucket."""

    def __init__(self) -> None:
        self.distribution = DISTRIBUTION
        self.time = 0.0
        self.asked: list[Request] = []
        self.answer: Callable[[Request], Response] = lambda _: Response("{}")
        self.objects: dict[str, OriginResponse] = {}
        self.domain = API
        self.edge = Edge(
            lambda: self.distribution,
            api=self._api,
            api_domain=lambda: self.domain,
            read_object=lambda _, key: self.objects.get(key),
            now=lambda: self.time,
        )
        self._client = Client(self.edge)

    def _api(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        self.asked.append(request)
        return self.answer(request)(environ, start_response)

    def get(self, path: str, **headers: str) -> TestResponse:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.get(path, headers=sent)

    def ask(
        self, method: str, path: str, *, address: str = "127.0.0.1", **headers: str
    ) -> TestResponse:
        return self._client.open(
            path, method=method, headers=headers, environ_base={"REMOTE_ADDR": address}
        )


@pytest.fixture
def world() -> World:
    return World()


def test_requests_within_a_second_reach_the_api_once(world: World) -> None:
    world.answer = lambda _: Response("{}", headers={"cache-control": "no-cache"})
    first, again = world.get("/rooms/A"), world.get("/rooms/A")
    assert (first.headers["x-cache"], again.headers["x-cache"]) == (
        "Miss from cloudfront",
        "Hit from cloudfront",
    )
    assert again.headers["age"] == "0"
    world.time = 1.0
    assert world.get("/rooms/A").headers["x-cache"] == "Miss from cloudfront"
    world.get("/rooms/B")
    assert len(world.asked) == 3


def test_concurrent_requests_share_one(world: World) -> None:
    may_answer = threading.Event()

    def slow(_: Request) -> Response:
        may_answer.wait(10)
        return Response("{}")

    world.answer = slow
    with ThreadPoolExecutor(5) as threads:
        answers = [threads.submit(world.get, "/rooms/A") for _ in range(5)]
        may_answer.set()
        assert {answer.result().status_code for answer in answers} == {200}
    assert len(world.asked) == 1


def test_a_token_reaches_the_api_and_its_answer_is_never_kept(world: World) -> None:
    for _ in range(2):
        world.ask("DELETE", "/rooms/A/leave", Authorization="Bearer t")
    assert [request.headers["authorization"] for request in world.asked] == ["Bearer t"] * 2
    assert world.asked[0].host == API


def test_a_method_that_is_not_taken_goes_nowhere(world: World) -> None:
    assert world.ask("POST", "/rooms/A").status_code == 403
    assert world.ask("DELETE", "/index.html").status_code == 403
    assert world.asked == []


def test_a_known_etag_gets_304_without_the_api(world: World) -> None:
    world.answer = lambda _: Response("{}", headers={"etag": '"1"'})
    world.get("/rooms/A")
    for tag in ('"1"', 'W/"1"', '"0", "1"'):
        found = world.get("/rooms/A", if_none_match=tag)
        assert (found.status_code, found.data) == (304, b"")
    assert world.get("/rooms/A", if_none_match='"2"').status_code == 200
    assert len(world.asked) == 1


def test_an_expired_response_is_revalidated(
    world: World,
) -> None:
    def answer(request: Request) -> Response:
        unchanged = request.headers.get("if-none-match") == '"1"'
        return Response(status=304) if unchanged else Response("{}", headers={"etag": '"1"'})

    world.answer = answer
    world.get("/rooms/A")
    world.time = 5.0
    found = world.get("/rooms/A", if_none_match='"0"')
    assert (found.status_code, found.data) == (200, b"{}")
    assert [request.headers.get("if-none-match") for request in world.asked] == [None, '"1"']


def test_what_has_expired_long_ago_is_dropped(world: World) -> None:
    for number in range(100):
        world.time = float(number)
        world.get(f"/rooms/{number}")
    world.time = 130.0
    world.get("/rooms/A")

    paths = {path for path, *_ in world.edge._cache}
    assert paths == {*(f"/rooms/{number}" for number in range(70, 100)), "/rooms/A"}
    assert len(world.edge._origin_locks) == 0


def test_who_guesses_a_code_gets_no_room_from_the_cache_of_those_who_know_it(world: World) -> None:
    """Else the cache would tell what the limit on guesses hides."""
    caching = replace(SECOND, key_headers=["origin", "x-room-created"])
    rooms = behavior("/rooms/*", ("GET",), caching)
    world.distribution = replace(DISTRIBUTION, behaviors=[rooms])
    for _ in range(2):
        world.get("/rooms/A", x_room_created="17")
    assert len(world.asked) == 1
    world.answer = lambda _: Response("{}", status=429)
    assert world.get("/rooms/A").status_code == 429
    assert world.get("/rooms/A", x_room_created="18").status_code == 429
    assert world.get("/rooms/A", x_room_created="17").status_code == 200


def test_pages_of_other_origins_have_answers_of_their_own(world: World) -> None:
    def answer(request: Request) -> Response:
        return Response("{}", headers={"x-origin": request.headers.get("origin", "")})

    world.answer = answer
    assert world.get("/rooms/A").headers["x-origin"] == ""
    assert world.get("/rooms/A", origin="https://b.example").headers["x-origin"]


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("", 100), ("max-age=10", 10), ("max-age=5000", 1000), ("no-store", 1), ("max-age=0", 1)],
)
def test_how_long_it_is_kept_is_the_origins_within_the_policys_bounds(
    world: World, told: str, seconds: int
) -> None:
    world.objects["a"] = OriginResponse(200, {"cache-control": told} if told else {}, b"old")
    world.get("/a")
    world.objects["a"] = OriginResponse(200, {}, b"new")
    world.time = seconds - 0.5
    assert world.get("/a").data == b"old"
    world.time = seconds
    assert world.get("/a").data == b"new"


@pytest.mark.parametrize(
    ("status", "told", "seconds"),
    [
        (404, "", 2),
        (503, "", 10),
        (409, "", 0),
        (404, "no-store", 0),
        (503, "no-store", 10),
        (403, "", 0),
        (403, "no-store", 0),
        (416, "max-age=1", 0),
    ],
)
def test_errors_are_cached_as_configured_or_for_ten_seconds(
    world: World, status: int, told: str, seconds: int
) -> None:
    world.answer = lambda _: Response("{}", status=status, headers={"cache-control": told})
    world.get("/rooms/A")
    world.time = max(seconds - 0.5, 0)
    world.get("/rooms/A")
    assert len(world.asked) == (1 if seconds else 2)
    world.time = seconds + 0.5
    world.get("/rooms/A")
    assert len(world.asked) == (2 if seconds else 3)


@pytest.mark.parametrize(
    ("status", "told", "seconds"),
    [
        (404, "max-age=20", 20),
        (404, "max-age=1", 2),
        (404, "s-maxage=5, max-age=9", 5),
        (404, "max-age=5000", 1000),
        (403, "max-age=5", 10),
    ],
)
def test_an_error_is_kept_longer_when_the_origin_says_so(
    world: World, status: int, told: str, seconds: int
) -> None:
    world.objects["a"] = OriginResponse(status, {"cache-control": told})
    world.get("/a")
    world.objects["a"] = OriginResponse(200, {}, b"new")
    world.time = seconds - 0.5
    assert world.get("/a").status_code == status
    world.time = seconds
    assert world.get("/a").data == b"new"


def test_an_expired_response_is_served_while_the_api_fails(world: World) -> None:
    world.answer = lambda _: Response("old")
    world.get("/rooms/A")
    world.answer = lambda _: Response("{}", status=503)
    world.time = 5.0
    found = world.get("/rooms/A")
    assert (found.status_code, found.data) == (200, b"old")
    world.time = 14.5
    again = world.get("/rooms/A")
    assert (again.data, again.headers["age"]) == (b"old", "14")
    assert len(world.asked) == 2
    world.answer = lambda _: Response("new")
    world.time = 15.0
    assert world.get("/rooms/A").data == b"new"


def test_a_room_that_is_gone_is_not_answered_from_before(world: World) -> None:
    world.answer = lambda _: Response("old")
    world.get("/rooms/A")
    world.answer = lambda _: Response("{}", status=404)
    world.time = 5.0
    assert world.get("/rooms/A").status_code == 404


@pytest.mark.parametrize(
    ("sent", "reaches"),
    [({}, "127.0.0.1"), ({"X-Forwarded-For": "192.0.2.4"}, "192.0.2.4,127.0.0.1")],
)
def test_the_api_gets_the_clients_address(world: World, sent: dict[str, str], reaches: str) -> None:
    world.ask("POST", "/rooms", **sent)
    assert world.asked[0].headers["x-forwarded-for"] == reaches


def test_the_api_gets_the_origins_headers_in_place_of_the_viewers(world: World) -> None:
    world.distribution = replace(
        DISTRIBUTION,
        behaviors=[
            replace(each, custom_headers={"x-distribution-key": "ours"})
            for each in DISTRIBUTION.behaviors
        ],
    )
    world.ask("POST", "/rooms", **{"X-Distribution-Key": "a viewer's"})
    world.get("/rooms/A")
    assert [asked.headers["x-distribution-key"] for asked in world.asked] == ["ours"] * 2


def test_the_api_talks_with_the_edge_and_not_with_the_viewer(world: World) -> None:
    world.ask("POST", "/rooms", address="192.0.2.1")
    assert world.asked[0].remote_addr == "127.0.0.1"
    assert world.asked[0].headers["x-forwarded-for"] == "192.0.2.1"


def test_every_answer_has_the_policys_headers_whatever_the_origin_says(world: World) -> None:
    world.answer = lambda _: Response("{}", headers={"x-frame-options": "ALLOWALL"})
    for found in (world.get("/rooms/A"), world.get("/nowhere"), world.ask("POST", "/rooms")):
        assert found.headers.get_all("x-frame-options") == ["DENY"]


def test_the_root_is_the_root_object_and_what_is_not_there_is_404(world: World) -> None:
    world.objects["index.html"] = OriginResponse(200, {"content-type": "text/html"}, b"<p>")
    assert world.get("/").data == b"<p>"
    assert world.ask("HEAD", "/").data == b""
    assert world.get("/nowhere").status_code == 404


def test_large_responses_are_compressed_and_get_a_weak_etag(world: World) -> None:
    text = json.dumps(list(range(1000))).encode()
    headers = {"content-type": "application/json", "etag": '"1"'}
    world.objects |= {
        "long": OriginResponse(200, headers, text),
        "short": OriginResponse(200, headers, b"{}"),
    }
    packed = world.get("/long", accept_encoding="gzip, br")
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["etag"] == 'W/"1"'
    assert len(packed.data) < len(text)
    assert world.get("/long").data == text
    assert "content-encoding" not in world.get("/short", accept_encoding="gzip").headers


def test_an_api_that_is_not_the_distributions_is_not_asked(world: World) -> None:
    world.domain = "another.execute-api.example"
    assert world.get("/rooms/A").status_code == 502
    assert world.asked == []


@pytest.mark.parametrize(
    ("pattern", "path", "takes"),
    [
        ("/rooms/*", "/rooms/A", True),
        ("/rooms/*", "/rooms/A/B", True),
        ("/rooms/*", "/rooms", False),
        ("/rooms/?", "/rooms/AB", False),
        ("/a.b", "/aXb", False),
        ("*", "/\n", True),
    ],
)
def test_patterns(pattern: str, path: str, takes: bool) -> None:
    assert replace(DISTRIBUTION.behaviors[0], pattern=pattern).takes(path) is takes


def test_a_client_above_its_limit_reaches_nothing_and_others_go_on(world: World) -> None:
    """The address is that of the connection: a header could name any."""
    limit = ClientLimit(
        requests=2, window_s=60, status=429, headers={"Retry-After": "30"}, body=b"{}"
    )
    world.distribution = replace(DISTRIBUTION, client_limit=limit)
    world.objects["index.html"] = OriginResponse(200, {"content-type": "text/html"}, b"<p>")
    for sent in ({}, {"X-Forwarded-For": "192.0.2.9"}):
        assert world.ask("POST", "/rooms", **sent).status_code == 200
    refused = world.ask("POST", "/rooms", **{"X-Forwarded-For": "192.0.2.7"})
    assert (refused.status_code, refused.data) == (429, b"{}")
    assert refused.headers["retry-after"] == "30"
    assert world.ask("GET", "/").status_code == 429
    assert len(world.asked) == 2
    assert world.ask("POST", "/rooms", address="127.0.0.2").status_code == 200
    world.time = 60.0
    assert world.ask("POST", "/rooms").status_code == 200
