"""The peer: a server that has its answer ready, under the HTTP server of the local system.

``python -m benchmarks.load.peer`` prints its URL, and serves until it is ended. What the clients,
HTTP and the machine take is all that it takes. Every answer is that of a create.
"""

from __future__ import annotations

import sys
import threading
from typing import Final

from werkzeug.wrappers import Response

from local.addresses import own_url
from local.gateway import reserve_port
from local.http_server import serving_wsgi

ANSWER: Final = (
    b'{"roomId":"BCDF23","hostId":"c539aa9b250e85e050ea34ee75ece159",'
    b'"playerId":"c539aa9b250e85e050ea34ee75ece159",'
    b'"playerToken":"DQuX0F5T0zZIn7pLJXeu1jB4dpgOcF83xgvxXis_aoc","room":{"roomId":"BCDF23",'
    b'"hostId":"c539aa9b250e85e050ea34ee75ece159","players":[{"playerId":'
    b'"c539aa9b250e85e050ea34ee75ece159","name":"x","joinedAt":1795882033084}],'
    b'"status":"waiting","maxPlayers":5,"createdAt":1795882033084,'
    b'"expiresAt":1795968433000,"version":1}}'
)


def serve() -> None:
    """Serve on a free port."""
    listener = reserve_port(0)
    answer = Response(ANSWER, content_type="application/json")
    with serving_wsgi(answer, listener=listener, name="peer"):
        sys.stdout.write(f"{own_url(listener)}\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    serve()
