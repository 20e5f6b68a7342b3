"""Where the system is reached: on this machine alone, or from other devices too."""

import json
import socket
from typing import TYPE_CHECKING

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from local import addresses
from local.addresses import SHARED_URL, SharedUrl, own_url, shared_url
from local.gateway import reserve_port

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

PAGE: "WSGIApplication" = Response("the page")


def test_by_default_no_other_device_reaches_it() -> None:
    with reserve_port(0) as listener:
        assert own_url(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert shared_url(listener) is None


def test_localhost_is_the_loopback_address() -> None:
    with reserve_port(0, "localhost") as listener:
        assert listener.getsockname()[0] == "127.0.0.1"
        assert shared_url(listener) is None


def test_on_all_addresses_others_are_told_the_one_in_the_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(addresses, "_address_in_network", lambda: "192.168.1.5")
    with reserve_port(0, "0.0.0.0") as listener:
        port = listener.getsockname()[1]
        assert own_url(listener) == f"http://127.0.0.1:{port}"
        assert shared_url(listener) == f"http://192.168.1.5:{port}"
        socket.create_connection(("127.0.0.1", port), timeout=5).close()


def test_without_a_network_there_is_nobody_to_share_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "_address_in_network", lambda: None)
    with reserve_port(0, "0.0.0.0") as listener:
        assert shared_url(listener) is None


def test_the_address_in_the_network_can_be_reached() -> None:
    found = addresses._address_in_network()
    if found is not None:
        with reserve_port(0, found) as listener:
            assert own_url(listener) == shared_url(listener) == url_of(listener)


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()
    return f"http://{host}:{port}"


@pytest.mark.parametrize("url", ["http://192.168.1.5:3000", None])
def test_the_page_is_told_and_nothing_else_changes(url: str | None) -> None:
    client = Client(SharedUrl(PAGE, url))
    answer = client.get(SHARED_URL)
    assert json.loads(answer.data) == {"url": url}
    assert answer.headers["cache-control"] == "no-store"
    for path in ("/", "/rooms", f"{SHARED_URL}/more"):
        assert client.get(path).data == b"the page"
