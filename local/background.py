"""A server in a thread of its own."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer

# How often a server looks whether it shall end, and so how long Ctrl-C waits for it.
POLL_SECONDS = 0.02


@contextmanager
def in_background(server: BaseServer, name: str) -> Iterator[None]:
    """Serve in a thread of that name, and close the server on leaving."""
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
