"""The addresses at which the local system is reached: on this machine, and from other devices."""

import ipaddress
import json
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LOOPBACK: Final = "127.0.0.1"
SHARED_URL: Final = "/local/shared-url"
"""Where a page that is open on this machine asks for its address from other devices."""

_EVERY: Final = "0.0.0.0"  # noqa: S104  (compared with)
# An address for documentation: nothing is sent to it.
_ELSEWHERE: Final = ("203.0.113.1", 9)


def own_url(listener: socket.socket) -> str:
    """Return the URL on this machine of what listens."""
    host, port = listener.getsockname()
    return f"http://{LOOPBACK if host == _EVERY else host}:{port}"


def shared_url(listener: socket.socket) -> str | None:
    """Return the URL at which other devices reach what listens; None where they cannot."""
    host, port = listener.getsockname()
    if host == _EVERY:
        host = _address_in_network()
    if host is None or ipaddress.ip_address(host).is_loopback:
        return None
    return f"http://{host}:{port}"


def _address_in_network() -> str | None:
    """Return the address with which this machine reaches others; None without a network."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(_ELSEWHERE)
        except OSError:
            return None
        return str(probe.getsockname()[0])


class SharedUrl:
    """An application that answers ``SHARED_URL``, and lets another answer everything else.

    The answer is ``{"url": ...}``, where null is for "other devices cannot reach it". A deployed
    page never asks.
    """

    def __init__(self, application: "WSGIApplication", url: str | None) -> None:
        self._application = application
        self._url = url

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        if Request(environ).path != SHARED_URL:
            return self._application(environ, start_response)
        answer = Response(json.dumps({"url": self._url}), content_type="application/json")
        answer.headers["cache-control"] = "no-store"
        return answer(environ, start_response)
