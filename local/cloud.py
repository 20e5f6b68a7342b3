"""The emulated cloud in parts: an account, and the API and the page of what is deployed to it.

with running_registry(folder / "registry") as registry, emulated_cloud(folder, registry) as cloud:
    subprocess.run(["npx", "cdk", "bootstrap"], env=cloud.environment)
    ...
    with cloud.serving(StageNames("dev").rooms_stack) as url:
        ...
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import boto3
from moto.awslambda.exceptions import UnknownFunctionException

from local.bucket_objects import read_object
from local.deploy import emulated_environment
from local.deployed import DeployedApi, read_api
from local.distribution import read_distribution
from local.edge import Edge
from local.emulated_aws.image_program import MakeImageProgram
from local.emulated_aws.server import (
    ACCOUNT_ID,
    CREDENTIALS,
    REGION,
    EmulatedAccount,
    emulated_account,
)
from local.gateway import FunctionGoneError, reserve_port, serving
from local.report import Report, Silence
from local.runtime_api import FunctionError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_Deployed = TypeVar("_Deployed")


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """An emulated account, and what is needed to work with it."""

    account: EmulatedAccount
    environment: Mapping[str, str]
    """The variables for programs that deploy to it: the whole of their environment."""

    def client(self, service: str) -> Any:
        """Make a boto3 client for it."""
        session: Any = boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )
        return session.client(service, endpoint_url=self.account.endpoint_url)

    def outputs(self, stack: str) -> dict[str, str]:
        """Return the outputs of a stack."""
        found = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}

    def read_api(self, stack: str) -> DeployedApi:
        """Return the HTTP API whose URL is the stack's output ``ApiUrl``. Raises DeployedError."""
        api_id = self.outputs(stack)["ApiUrl"].removeprefix("https://").partition(".")[0]
        return read_api(self.client("apigatewayv2"), api_id, account_id=ACCOUNT_ID)

    @contextmanager
    def serving(
        self, stack: str, *, listener: socket | None = None, report: Report | None = None
    ) -> Iterator[str]:
        """Serve the HTTP API of a stack on this machine, and yield its URL.

        What is deployed while it is served, is served: no request is refused for it. Without a
        ``listener`` of ``reserve_port``, a free port is taken. Raises DeployedError.
        """
        with ExitStack() as stack_:
            listener = listener or stack_.enter_context(reserve_port(0))
            followed = _Followed(self.account.stack_events, lambda: self.read_api(stack))
            yield stack_.enter_context(
                serving(followed, self._invoke, listener=listener, report=report or Silence())
            )

    @contextmanager
    def serving_page(
        self, web_stack: str, rooms_stack: str, *, listener: socket, report: Report
    ) -> Iterator[str]:
        """Serve the page of a stack and the HTTP API of another at one URL, and yield it.

        As in ``serving``, what is deployed meanwhile is served. Raises DeployedError.
        """
        api = _Followed(self.account.stack_events, lambda: self.read_api(rooms_stack))
        distribution = _Followed(
            self.account.stack_events,
            lambda: read_distribution(self.account.stack_resources(web_stack)),
        )
        s3 = self.client("s3")

        def edge(gateway: "WSGIApplication") -> "WSGIApplication":
            return Edge(
                distribution,
                api=gateway,
                api_domain=lambda: api().domain_name,
                read_object=partial(read_object, s3),
            )

        with serving(api, self._invoke, listener=listener, report=report, behind=edge) as url:
            yield url

    def _invoke(self, arn: str, event: bytes) -> bytes | FunctionError:
        try:
            return self.account.functions.payload(arn, event)
        except UnknownFunctionException:
            raise FunctionGoneError(arn) from None


@contextmanager
def emulated_cloud(
    work_folder: Path,
    registry: str | None = None,
    *,
    run_image: MakeImageProgram | None = None,
    echo: Callable[[str], None] = lambda _: None,
) -> Iterator[Cloud]:
    """Start an empty account; see ``emulated_account``. Its log is in ``work_folder``."""
    work_folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(_server_log(work_folder / "emulated-aws.log"))
        account = stack.enter_context(
            emulated_account(registry=registry, run_image=run_image, echo=echo)
        )
        environment = emulated_environment(account.endpoint_url, work_folder)
        yield Cloud(account=account, environment=environment)


class _Followed(Generic[_Deployed]):
    """What is deployed, as it is now: read again when something has happened to a stack."""

    def __init__(self, happened: Callable[[], int], read: Callable[[], _Deployed]) -> None:
        self._happened = happened
        self._read = read
        self._lock = threading.Lock()
        self._known = happened(), read()

    def __call__(self) -> _Deployed:
        with self._lock:
            happened = self._happened()
            if happened != self._known[0]:
                now = self._read()
                self._known = happened, (self._known[1] if now == self._known[1] else now)
            return self._known[1]


@contextmanager
def _server_log(path: Path) -> Iterator[None]:
    """Send what werkzeug, and so moto, says of errors to a file instead of the terminal."""
    logger = logging.getLogger("werkzeug")
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()
