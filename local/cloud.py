"""The emulated cloud: an account, and servers for the API and the page deployed to it.

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
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from socket import socket
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import boto3
from moto.awslambda.exceptions import UnknownFunctionException

from lambda_runtime.runtime_api import FunctionError
from local.addresses import SharedUrl, shared_url
from local.bucket_objects import read_object
from local.deploy import emulated_environment
from local.deployed import DeployedApi, DeployedError, read_api
from local.distribution import read_distribution
from local.edge import Edge
from local.emulated_aws.image_program import MakeImageProgram
from local.emulated_aws.resources.api_gateway import ApiModel
from local.emulated_aws.server import (
    ACCOUNT_ID,
    CREDENTIALS,
    REGION,
    EmulatedAccount,
    emulated_account,
)
from local.gateway import FunctionGoneError, reserve_port, serving
from local.progress import ProgressReport, SilentProgress

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_Deployed = TypeVar("_Deployed")


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """An emulated account, with clients, stack outputs and servers."""

    account: EmulatedAccount
    environment: Mapping[str, str]
    """The complete environment of programs that deploy to it."""
    _clients: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    _making: threading.Lock = field(
        default_factory=threading.Lock, init=False, repr=False, compare=False
    )

    def client(self, service: str) -> Any:
        """Return the boto3 client for a service of the account: one for each service."""
        with self._making:  # A session is for one thread at a time, and a client for all.
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service, endpoint_url=self.account.endpoint_url
                )
            return self._clients[service]

    @cached_property
    def _session(self) -> Any:
        """One for all clients: each reads the endpoints of all services, which takes a moment."""
        return boto3.Session(
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=REGION,
        )

    def outputs(self, stack: str) -> dict[str, str]:
        """Return the outputs of a stack."""
        found = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}

    def read_api(self, stack: str) -> DeployedApi:
        """Return the HTTP API of a stack. Raises DeployedError, also when it does not have one."""
        apis = [
            resource.physical_resource_id
            for resource in self.account.stack_resources(stack)
            if isinstance(resource, ApiModel)
        ]
        if len(apis) != 1:
            raise DeployedError(f"the stack {stack} has {len(apis)} HTTP APIs instead of one")
        return read_api(self.client("apigatewayv2"), apis[0], account_id=ACCOUNT_ID)

    @contextmanager
    def serving(
        self, stack: str, *, listener: socket | None = None, progress: ProgressReport | None = None
    ) -> Iterator[str]:
        """Serve the HTTP API of a stack on this machine, and yield its URL.

        A later deployment is served without an interruption. Without a ``listener`` of
        ``reserve_port``, a free port is taken. Raises DeployedError.
        """
        with ExitStack() as stack_:
            listener = listener or stack_.enter_context(reserve_port(0))
            current = _Current(self.account.stack_events, lambda: self.read_api(stack))
            yield stack_.enter_context(
                serving(
                    current, self._invoke, listener=listener, progress=progress or SilentProgress()
                )
            )

    @contextmanager
    def serving_page(
        self, web_stack: str, rooms_stack: str, *, listener: socket, progress: ProgressReport
    ) -> Iterator[str]:
        """Serve the page of a stack and the HTTP API of another at one URL, and yield it.

        The URL is the one on this machine, and the page learns the one of other devices. As in
        ``serving``, a later deployment is served without an interruption. Raises DeployedError.
        """
        api = _Current(self.account.stack_events, lambda: self.read_api(rooms_stack))
        distribution = _Current(
            self.account.stack_events,
            lambda: read_distribution(
                self.account.stack_resources(web_stack), self.account.web_acls()
            ),
        )
        s3 = self.client("s3")

        def edge(gateway: "WSGIApplication") -> "WSGIApplication":
            page = Edge(
                distribution,
                api=gateway,
                api_domain=lambda: api().domain_name,
                read_object=partial(read_object, s3),
            )
            return SharedUrl(page, shared_url(listener))

        with serving(api, self._invoke, listener=listener, progress=progress, behind=edge) as url:
            yield url

    def _invoke(self, arn: str, event: bytes) -> bytes | FunctionError:
        try:
            return self.account.functions.payload(arn, event)
        except UnknownFunctionException as error:
            raise FunctionGoneError(arn) from error


@contextmanager
def emulated_cloud(
    work_folder: Path,
    registry: str | None = None,
    *,
    run_image: MakeImageProgram | None = None,
    echo: Callable[[str], None] = lambda _: None,
    listener: socket | None = None,
    deployed: Callable[[str], None] = lambda _: None,
) -> Iterator[Cloud]:
    """Start an empty account; see ``emulated_account``. Its log is in ``work_folder``."""
    work_folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.enter_context(_server_log(work_folder / "emulated-aws.log"))
        account = stack.enter_context(
            emulated_account(
                registry=registry,
                run_image=run_image,
                echo=echo,
                listener=listener,
                deployed=deployed,
            )
        )
        environment = emulated_environment(account.endpoint_url, work_folder)
        yield Cloud(account=account, environment=environment)


class _Current(Generic[_Deployed]):
    """Returns the current deployment, and reads it again only after an event of a stack."""

    def __init__(self, events: Callable[[], int], read: Callable[[], _Deployed]) -> None:
        self._events = events
        self._read = read
        self._lock = threading.Lock()
        self._known = events(), read()

    def __call__(self) -> _Deployed:
        with self._lock:
            events = self._events()
            if events != self._known[0]:
                read = self._read()
                self._known = events, (self._known[1] if read == self._known[1] else read)
            return self._known[1]


@contextmanager
def _server_log(path: Path) -> Iterator[None]:
    """Write werkzeug's log, which has moto's errors, to a file instead of the terminal."""
    logger = logging.getLogger("werkzeug")
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()
