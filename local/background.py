"""Runs a server in a background thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer

# How long a server takes to notice that it shall end.
POLL_SECONDS = 0.02


@contextmanager
def in_background(server: BaseServer, name: str) -> Iterator[None]:
    """Serve in a thread of this name, and close the server on leaving."""
    thread = threading.Thread(
        target=server.serve_forever, args=(POLL_SECONDS,), name=name, daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
