"""Answers that do not arrive as DynamoDB sent them.

Whatever happens to them, an operation says what is true, or that the table is out of reach; and
then a seat that nobody could own is free again.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambda_src.rooms import tokens
from lambda_src.rooms.dynamodb import DynamoDb
from lambda_src.rooms.service import Rooms
from lambda_src.rooms.store import RoomStore
from tests.lambda_src.rooms.conftest import Answer, Api, Clock
from tests.lambda_src.rooms.test_dynamodb import PATIENT_S, client_of, log_line
from tests.support.rooms.faulty_table import (
    Fault,
    FaultyTable,
    cut,
    faulty_table,
    flips,
    sends,
    whole_answer,
)
from tests.support.sampling import mostly_proofs

if TYPE_CHECKING:
    from tests.support.imagecheck.certificate import Certificate

pytestmark = pytest.mark.usefixtures("no_pauses")

HTML = b"<html><body><b>Http/1.1 Service Unavailable</b></body></html>"
_DEEP = b'{"Item":' + b'{"M":' * 20_000


@pytest.fixture(scope="module")
def network(dynamodb_endpoint: str) -> Iterator[FaultyTable]:
    with faulty_table(dynamodb_endpoint) as table:
        yield table


@pytest.fixture(scope="module")
def faulty_client(network: FaultyTable) -> DynamoDb:
    return client_of(network.endpoint, attempt_s=PATIENT_S)


@pytest.fixture
def faulty(faulty_client: DynamoDb, table: str, clock: Clock) -> Api:
    """An API whose answers from the table can be damaged."""
    return Api(Rooms(RoomStore(faulty_client, table), now_ms=clock))


OPERATIONS = ["create", "get", "join", "leave", "leave as the last", "join a full room", "nowhere"]
READS: dict[str, list[None]] = {"leave": [None], "leave as the last": [None]}
"""What is asked before the request that does it."""


class Play:
    """One operation, on a room of its own, and what its answer is."""

    def __init__(self, operation: str, api: Api, faulty: Api) -> None:
        self.token = tokens.new()
        self.host = tokens.new()
        created = api.create("ほすと", token=self.host).body
        self.room: str = created["roomId"]
        if operation == "leave":
            api.join(self.room, "ゲスト", token=self.token)
        if operation == "join a full room":
            for _ in range(4):
                api.join(self.room)
        calls: dict[str, Callable[[Api], Answer]] = {
            "create": lambda on: on.create("ほすと", token=self.token),
            "get": lambda on: on.get(self.room),
            "join": lambda on: on.join(self.room, "ゲスト", token=self.token),
            "leave": lambda on: on.leave(self.room, self.token),
            "leave as the last": lambda on: on.leave(self.room, self.host),
            "join a full room": lambda on: on.join(self.room, "ゲスト"),
            "nowhere": lambda on: on.get(self.room[::-1]),
        }
        self._call = calls[operation]
        self.faulty = faulty
        self.expected = {"join a full room": "ROOM_FULL", "nowhere": "NOT_FOUND"}.get(
            operation, "OK"
        )

    def __call__(self) -> Answer:
        return self._call(self.faulty)


ANSWERS: dict[str, Fault] = {
    "half a head": cut(28),
    "a head without its end": cut(60),
    "half a status": cut(11),
    "nothing": cut(0),
    "half a checksum": sends(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nx-amz-crc32: 27"),
    "no body": cut(-10_000),
    "a blank body without checksum": sends(whole_answer(200, b"", checksum=None)),
    "a blank body with its checksum": sends(whole_answer(200, b"")),
    "an empty object without checksum": sends(whole_answer(200, b"{}", checksum=None)),
    "a blank checksum": sends(whole_answer(200, b"{}", checksum=" ")),
    "a checksum that is no number": sends(whole_answer(200, b"{}", checksum="0x1f")),
    "a checksum with an underscore": sends(whole_answer(200, b"{}", checksum="2_745_614_147")),
    "a checksum in another script": sends(whole_answer(200, b"{}", checksum="²")),
    "another checksum": sends(whole_answer(200, b"{}", checksum="1")),
    "HTML": sends(whole_answer(200, HTML, checksum=None)),
    "HTML of a 503": sends(whole_answer(503, HTML, checksum=None, Content_Type="text/html")),
    "HTML of a 403": sends(whole_answer(403, HTML, checksum=None, Content_Type="text/html")),
    "HTML of a 413": sends(whole_answer(413, HTML, checksum=None, Content_Type="text/html")),
    "a redirect": sends(whole_answer(307, b"", checksum=None, Location="https://127.0.0.1:1/")),
    "a redirect with a checksum": sends(whole_answer(307, b"{}", Location="https://127.0.0.1:1/")),
    "no content": sends(whole_answer(204, b"", checksum=None)),
    "an error with the status of a success": sends(
        whole_answer(200, b'{"__type":"ConditionalCheckFailedException"}')
    ),
    "an error whose name is a text": sends(
        whole_answer(400, '{"__type":"ひみつの名前 is no name"}'.encode())
    ),
    "an error whose name has no end": sends(
        whole_answer(400, b'{"__type":"' + b"x" * 1000 + b'"}')
    ),
    "a success with the status of an error": sends(whole_answer(400, b"{}")),
    "an error without a name": sends(whole_answer(400, b"{}", checksum=None)),
    "a short body": sends(whole_answer(200, b"{}", Content_Length="9")),
    "a short error": sends(
        whole_answer(400, b'{"__type":"ValidationException"}', checksum=None, Content_Length="99")
    ),
    "an error without a length": sends(
        b'HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\n{"__type":"ValidationException"}'
    ),
    "a length that is none": sends(whole_answer(200, b"{}", Content_Length="x")),
    "a length that no memory holds": sends(whole_answer(200, b"{}", Content_Length="9" * 18)),
    "half a chunk": sends(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nx-amz-crc32: 2745614147\r\n\r\n9\r\n{}"
    ),
    **{
        f"a chunk of {size.decode()} bytes": sends(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nx-amz-crc32: 2745614147\r\n\r\n"
            + size
            + b"\r\n{}\r\n0\r\n\r\n"
        )
        for size in (b"-5", b"1900000000", b"7fffffffffffffff", b"f" * 20, b"x")
    },
    "another protocol": sends(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "another version of HTTP": sends(b"HTTP/9.1 200 OK\r\n\r\n"),
    "a long line": sends(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 70_000 + b"\r\n\r\n"),
    "many headers": sends(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200 + b"\r\n"),
    # What follows has its checksum: its sender is broken, not the way from there.
    "null": sends(whole_answer(200, b"null")),
    "a list": sends(whole_answer(200, b"[]")),
    "no JSON": sends(whole_answer(200, HTML)),
    "no UTF-8": sends(whole_answer(200, b'{"Item":{"roomId":{"S":"\xe3\x81"}}}')),
    "an item that is null": sends(whole_answer(200, b'{"Item":null,"Attributes":null}')),
    "an item that is a number": sends(whole_answer(200, b'{"Item":5,"Attributes":5}')),
    "an item of a number": sends(
        whole_answer(200, b'{"Item":{"roomId":5},"Attributes":{"roomId":5}}')
    ),
    "digests that are no base64": sends(
        whole_answer(200, b'{"Item":{"d":{"B":"x"}},"Attributes":{"d":{"B":"x"}}}')
    ),
    "digests that are numbers": sends(
        whole_answer(200, b'{"Item":{"d":{"B":5}},"Attributes":{"d":{"B":5}}}')
    ),
    "no end of depth": sends(whole_answer(200, _DEEP + b"1" + b"}" * 20_001)),
    "compressed, which nobody asked for": sends(
        whole_answer(200, gzip.compress(b"{}"), Content_Encoding="gzip")
    ),
}
"""What comes in place of an answer."""


every_damage = pytest.mark.parametrize(
    ("operation", "fault"),
    [
        # Each fault meets one operation, and each operation some faults; the rest are proofs.
        pytest.param(
            operation,
            fault,
            marks=[] if (number - turn) % len(OPERATIONS) == 0 else pytest.mark.proof,
        )
        for number, fault in enumerate(ANSWERS)
        for turn, operation in enumerate(OPERATIONS)
    ],
)


@every_damage
def test_one_damaged_answer_changes_nothing(
    api: Api, faulty: Api, network: FaultyTable, operation: str, fault: str
) -> None:
    play = Play(operation, api, faulty)
    network.does(*READS.get(operation, []), ANSWERS[fault])
    assert play().code == play.expected


@every_damage
def test_two_damaged_answers_are_unavailable(
    api: Api, faulty: Api, network: FaultyTable, operation: str, fault: str
) -> None:
    play = Play(operation, api, faulty)
    network.does(*READS.get(operation, []), ANSWERS[fault], ANSWERS[fault])
    assert play().code == "UNAVAILABLE"


@pytest.mark.parametrize("fault", mostly_proofs(ANSWERS))
def test_a_seat_is_given_back_whatever_became_of_the_answers(
    api: Api, faulty: Api, network: FaultyTable, fault: str
) -> None:
    room = api.create().body["roomId"]
    network.does(ANSWERS[fault], ANSWERS[fault])
    assert faulty.join(room).code == "UNAVAILABLE"
    assert len(api.get(room).body["players"]) == 1


def test_an_update_that_says_nothing_of_the_item_is_no_answer(
    api: Api, faulty: Api, network: FaultyTable
) -> None:
    room = api.create().body["roomId"]
    network.does(sends(whole_answer(200, b"{}")), sends(whole_answer(200, b'{"Attributes":{}}')))
    assert faulty.join(room).code == "UNAVAILABLE"
    assert len(api.get(room).body["players"]) == 1


def test_an_item_that_is_not_there_is_no_fault(faulty: Api, network: FaultyTable) -> None:
    network.does(sends(whole_answer(200, b"{}")))
    assert faulty.get("BCDFGH").code == "NOT_FOUND"


def test_nobody_asks_for_compressed_answers(network: FaultyTable, table: str) -> None:
    client = client_of(network.endpoint)
    RoomStore(client, table).get("BCDFGH")
    assert b"accept-encoding: identity" in network.last_head.lower()


@pytest.mark.parametrize("kana", ["cut inside a letter", "flipped inside a letter"])
def test_a_name_that_is_broken_is_no_fault_of_ours(
    api: Api, faulty: Api, network: FaultyTable, kana: str
) -> None:
    room = api.create("あいうえお").body["roomId"]

    def fault(whole: bytes, connection: Any, _table: FaultyTable) -> None:
        inside = whole.index("う".encode()) + 1
        if kana.startswith("cut"):
            connection.sendall(whole[:inside])
        else:
            connection.sendall(whole[:inside] + b"\xff" + whole[inside + 1 :])

    network.does(fault, fault)
    assert faulty.get(room).code == "UNAVAILABLE"


def test_no_part_of_a_damaged_answer_is_in_the_log(
    api: Api, faulty: Api, network: FaultyTable, caplog: pytest.LogCaptureFixture
) -> None:
    room = api.create("ひみつの名前", token=(token := tokens.new())).body["roomId"]
    network.does(cut(-9), cut(-9))
    assert faulty.leave(room, token).code == "UNAVAILABLE"
    assert log_line(caplog)["cause"] == "ConnectionClosedError"
    network.does(*[sends(whole_answer(200, HTML, checksum=None))] * 2)
    assert faulty.get(room).code == "UNAVAILABLE"
    assert log_line(caplog)["cause"] == "HTTP 200: no checksum"
    assert "ひみつ" not in json.dumps(log_line(caplog), ensure_ascii=False)
    assert "ひみつ" not in caplog.text


bits = st.lists(st.integers(0, 8 * 1000), min_size=1, max_size=3, unique=True)
# A head that loses the checksum of an error, and a body that is another: TLS prevents it.
faults = st.one_of(
    st.integers(0, 1000).map(cut),
    bits.map(lambda chosen: flips("head", *chosen)),
    bits.map(lambda chosen: flips("body", *chosen)),
)


@pytest.mark.proof
@given(operation=st.sampled_from(OPERATIONS), damage=st.lists(faults, min_size=1, max_size=2))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_cuts_and_flipped_bits_never_make_another_answer(
    api: Api, faulty: Api, network: FaultyTable, operation: str, damage: list[Fault]
) -> None:
    play = Play(operation, api, faulty)
    network.does(*damage)
    seen = play()
    assert seen.code in {play.expected, "UNAVAILABLE"}
    if operation == "get" and seen.status == 200:
        assert seen.body == api.get(play.room).body


def test_an_answer_cut_off_over_tls_is_no_answer(
    api: Api, dynamodb_endpoint: str, trusted: Certificate, table: str, clock: Clock
) -> None:
    room = api.create("ホスト").body["roomId"]
    with faulty_table(dynamodb_endpoint, tls=trusted.tls()) as network:
        over_tls = Api(
            Rooms(RoomStore(client_of(network.endpoint, attempt_s=PATIENT_S), table), now_ms=clock)
        )
        assert over_tls.get(room).status == 200
        for length in (0, 11, 17, 28, 60, 100, -40, -1):
            network.does(cut(length), cut(length))
            assert over_tls.get(room).code == "UNAVAILABLE"
        assert over_tls.get(room).status == 200
