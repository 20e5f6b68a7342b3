"""Serves every API and every page of the account, each on a port of its own, while it is deployed.

The port is reserved when the outputs of a stack are first read, which is the end of its deployment;
a request that comes before its server runs waits.
"""

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from socket import socket

from botocore.exceptions import ClientError

from config.names import StageNames
from imagecheck.errors import CommandError
from local.addresses import LOOPBACK, own_url
from local.cloud import Cloud
from local.emulated_aws.account import ACCOUNT_LOCK
from local.gateway import PortInUseError, reserve_port
from local.progress import ProgressReport

_NO_PORT = 65536


class _Server(threading.Thread):
    """Runs ``serve`` on itself, with a port that it closes afterwards."""

    def __init__(
        self, stack: str, *, is_page: bool, listener: socket, serve: Callable[["_Server"], None]
    ) -> None:
        super().__init__(name=f"serve-{stack}")
        self.stack = stack
        self.is_page = is_page
        self.listener = listener
        self.url = own_url(listener)
        self.ended = threading.Event()
        self._serve = serve

    def run(self) -> None:
        """Serve until ``ended`` is set."""
        try:
            self._serve(self)
        finally:
            self.listener.close()


class StackServers:
    """``ServedStacks`` of ``local.emulated_aws``: pages from ``first_page_port`` on, APIs anywhere.

    With port 0, pages take any free port, too. Pages are served at ``host``, which may be 0.0.0.0
    for other devices; APIs only here.
    """

    def __init__(
        self,
        cloud: Cloud,
        *,
        first_page_port: int,
        host: str = LOOPBACK,
        progress: ProgressReport,
        say: Callable[[str], None],
    ) -> None:
        """``say`` gets a line when a stack is served, and when it is gone."""
        self._cloud = cloud
        self._first_page_port = first_page_port
        self._host = host
        self._progress = progress
        self._say = say
        self._servers: dict[str, _Server] = {}
        self._ending: list[_Server] = []

    def url(self, stack: str, *, is_page: bool) -> str:
        """Return where a stack is, or is about to be, served."""
        if stack not in self._servers:
            self.join()
            listener = self._reserve(is_page=is_page)
            server = _Server(stack, is_page=is_page, listener=listener, serve=self._serve)
            self._servers[stack] = server
            server.start()
            return server.url
        return self._servers[stack].url

    def gone(self, stack: str) -> None:
        """Stop serving a stack."""
        server = self._servers.pop(stack, None)
        if server is not None:
            server.ended.set()
            self._ending.append(server)

    def close(self) -> None:
        """Stop serving all stacks."""
        for stack in list(self._servers):
            self.gone(stack)
        self.join()

    def join(self) -> None:
        """Wait until nothing listens any more on the ports of stacks that are gone."""
        with ACCOUNT_LOCK.released():
            while self._ending:
                self._ending.pop().join()

    def _reserve(self, *, is_page: bool) -> socket:
        if not is_page:
            return reserve_port(0)
        for port in range(self._first_page_port or _NO_PORT, _NO_PORT):
            try:
                return reserve_port(port, self._host)
            except PortInUseError:
                continue
        return reserve_port(0, self._host)

    def _serve(self, server: _Server) -> None:
        try:
            with self._serving(server) as url:
                self._say(f"{server.stack} is served at {url}")
                server.ended.wait()
                self._say(f"{server.stack} is gone")
        except (CommandError, ClientError) as error:
            # The next deployment may make it right.
            if self._servers.pop(server.stack, None):
                self._ending.append(server)
            if not server.ended.is_set():
                self._progress.problem(f"{server.stack} cannot be served: {error}")

    def _serving(self, server: _Server) -> AbstractContextManager[str]:
        stack = server.stack
        if server.is_page:
            return self._cloud.serving_page(
                stack, _rooms_stack(stack), listener=server.listener, progress=self._progress
            )
        return self._cloud.serving(stack, listener=server.listener, progress=self._progress)


def _rooms_stack(web_stack: str) -> str:
    """Return the stack with the API of the page that a web stack serves."""
    before, after = StageNames("*").web_stack.split("*")
    return StageNames(web_stack.removeprefix(before).removesuffix(after)).rooms_stack
