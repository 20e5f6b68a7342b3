"""An execution environment under fire: the real runtime client, and a proxy before its table."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from chaos.earlier_version import PATH as EARLIER_VERSION
from chaos.proxy import Injection, ProcessControl, Proxy
from lambda_runtime.runtime_client import RuntimeClient
from lambda_runtime.variables import lambda_variables

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lambda_runtime.runtime_api import FunctionError

TABLE: Final = "rooms"
_ROOT: Final = EARLIER_VERSION.parents[1]
_SOURCE: Final = _ROOT / "lambda_src"
_CLOCK: Final = EARLIER_VERSION.parent / "shifted_clock"
_HANDLER: Final = "rooms.main.handler"
_NAME: Final = "rooms"
_ARN: Final = f"arn:aws:lambda:ap-northeast-1:000000000000:function:{_NAME}"
_START_TIMEOUT_S: Final = 120


class Environment:
    """Serves one invocation at a time, and starts its process again when that has ended.

    ``log`` gets each line of output. ``is_earlier``: it runs the earlier version of the code.
    """

    def __init__(
        self,
        *,
        table: tuple[str, int],
        folder: Path,
        log: Callable[[str], None],
        is_earlier: bool = False,
    ) -> None:
        """``folder`` is empty, and this environment's own."""
        self.is_earlier = is_earlier
        self._log = log
        self._task_root = folder / "task" if is_earlier else _SOURCE
        if is_earlier:
            self._task_root.mkdir()
        self._clock = folder / "clock"
        self._clock.write_text("0".rjust(16))
        self._proxy = Proxy(table, ProcessControl(self._kill, self._freeze, self._shift_clock))
        self._client: RuntimeClient | None = None
        self._starting = threading.Lock()
        self._is_closed = False

    def invoke(self, event: dict[str, Any], injection: Injection) -> bytes | FunctionError:
        """Run the handler on an event under a fault, and return its payload (JSON) or its error."""
        client = self._client
        assert client is not None, "it has not been started"
        self._proxy.injection = injection
        fault = injection.fault
        fault.before(self._proxy)
        try:
            outcome = client.invoke(
                json.dumps(event).encode(),
                timeout=fault.timeout_s,
                function_arn=_ARN,
                request_id=str(uuid.uuid4()),
            )
        finally:
            fault.after(self._proxy)
        if not client.is_alive():
            self._client = None
            client.close()
        return outcome

    def close(self) -> None:
        """End it, when its process has started."""
        with self._starting:
            self._is_closed = True
            if self._client is not None:
                self._client.close()
        self._proxy.close()

    def start(self) -> None:
        """Start the process, unless it runs."""
        with self._starting:
            if self._is_closed:
                raise RuntimeError("the environment is closed")
            if self._client is None:
                self._proxy.injection = None
                client = self._new_client()
                error = client.start(_START_TIMEOUT_S)
                if error is not None:
                    raise RuntimeError(f"the function does not start: {error}")
                self._client = client

    def _new_client(self) -> RuntimeClient:
        return RuntimeClient(
            _HANDLER,
            task_root=self._task_root,
            environment={
                **lambda_variables(
                    name=_NAME,
                    version="1" if self.is_earlier else "2",
                    memory_mb=256,
                    region="ap-northeast-1",
                    log_group=f"/aws/lambda/{_NAME}",
                    log_format="JSON",
                    log_level="INFO",
                    endpoint_url=self._proxy.url,
                ),
                "CHAOS_CLOCK": str(self._clock),
                "ROOMS_TABLE": TABLE,
                "TZ": ":UTC",
                "_HANDLER": _HANDLER,
            },
            memory_mb=256,
            log=self._log,
            layers=[_CLOCK, *([EARLIER_VERSION] if self.is_earlier else [])],
        )

    def _kill(self) -> None:
        if (client := self._client) is not None:
            client.send_signal(signal.SIGKILL)

    def _freeze(self, seconds: float) -> None:
        if (client := self._client) is None:
            return
        client.send_signal(signal.SIGSTOP)

        def go_on() -> None:
            time.sleep(seconds)
            client.send_signal(signal.SIGCONT)

        threading.Thread(target=go_on, daemon=True).start()

    def _shift_clock(self, seconds: int) -> None:
        # In place and in one piece: the process reads it at any time.
        with suppress(FileNotFoundError), self._clock.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), str(seconds).rjust(16).encode(), 0)
