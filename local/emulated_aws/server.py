"""moto's server in this process, with what it lacks."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from moto.cloudformation.models import cloudformation_backends
from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server
from werkzeug.wrappers import Request

from local.background import in_background
from local.emulated_aws import cloudformation, codedeploy, registry, resources, stacks
from local.emulated_aws.account import ACCOUNT_ID, ACCOUNT_LOCK, CREDENTIALS, REGION
from local.emulated_aws.functions import Functions, ImagePackage, RunnableFunction
from local.emulated_aws.image_program import MakeImageProgram, image_program, no_image
from local.emulated_aws.invoke_api import answer, invoked_function
from local.emulated_aws.mending import Mend, mended
from local.emulated_aws.registry_client import RegistryClient
from local.emulated_aws.registry_images import images_in
from local.emulated_aws.telemetry import FunctionLogs
from local.emulated_aws.zip_program import zip_program
from local.execution_environment import Program

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

__all__ = [
    "ACCOUNT_ID",
    "CREDENTIALS",
    "REGION",
    "EmulatedAccount",
    "emulated_account",
    "emulated_aws",
]


@dataclass(frozen=True, kw_only=True)
class EmulatedAccount:
    """An account that is served."""

    endpoint_url: str
    """What ``AWS_ENDPOINT_URL`` is to be."""
    functions: Functions
    """Its functions, running."""

    def stack_events(self) -> int:
        """Count what has happened to stacks so far: while it stays, they are what they were."""
        with ACCOUNT_LOCK:
            stacks = cloudformation_backends[ACCOUNT_ID][REGION].stacks
            return sum(len(stack.events) for stack in stacks.values())

    def stack_resources(self, name: str) -> list[Any]:
        """Return the models of what a stack has; none where there is no such stack."""
        with ACCOUNT_LOCK:
            stacks = cloudformation_backends[ACCOUNT_ID][REGION].stacks.values()
            return [
                resource
                for stack in stacks
                if stack.name == name
                for resource in stack.resource_map._parsed_resources.values()  # noqa: SLF001
            ]


@contextmanager
def emulated_aws(*, registry: str | None = None) -> Iterator[str]:
    """Serve an empty AWS account and yield its endpoint URL; see ``emulated_account``."""
    with emulated_account(registry=registry) as account:
        yield account.endpoint_url


@contextmanager
def emulated_account(
    *,
    registry: str | None = None,
    run_image: MakeImageProgram | None = None,
    echo: Callable[[str], None] = lambda _: None,
) -> Iterator[EmulatedAccount]:
    """Serve an empty AWS account, and run its functions.

    ``registry`` is HOST:PORT of a real registry, which then holds the images of ECR; without it,
    moto's ECR keeps manifests alone. Image functions are run by ``run_image``, or else started from
    that registry, with what ``local.image_sandbox`` needs. ``echo`` gets each line that a function
    logs.

    The URL says ``localhost``: moto takes the bucket of a template's URL for the host otherwise.
    State is per process, so there is one account at a time. One lock is around every request, and
    is let go of where a request waits for a function; see AccountLock.
    """
    with ExitStack() as stack:
        BackendDict.reset()
        stack.callback(BackendDict.reset)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emulated-aws-")))
        client = RegistryClient(registry) if registry else None
        if client is not None:
            stack.enter_context(images_in(client))
            run_image = run_image or partial(image_program, registry=client, folder=folder)
        logs = FunctionLogs()
        application = _Application(logs)
        server = make_server(
            "127.0.0.1", 0, application, threaded=True, request_handler=_QuietHandler
        )
        functions = application.functions = Functions(
            _make_program(run_image or no_image, folder),
            logs=logs,
            # An image may know of no ``localhost``.
            endpoint_url=f"http://127.0.0.1:{server.server_port}",
            echo=echo,
        )
        resources.register()
        stack.enter_context(mended(_mends(functions)))
        stack.enter_context(in_background(server, "emulated-aws"))
        stack.callback(functions.close)
        yield EmulatedAccount(
            endpoint_url=f"http://localhost:{server.server_port}", functions=functions
        )


def _mends(functions: Functions) -> Iterator[Mend]:
    for part in (cloudformation, stacks, registry, resources):
        yield from part.mends()
    yield from codedeploy.mends(functions.invoke)


def _make_program(run_image: MakeImageProgram, folder: Path) -> Callable[..., Program]:
    def make_program(
        function: RunnableFunction, *, variables: Mapping[str, str], log: Callable[[str], None]
    ) -> Program:
        package = function.package
        if isinstance(package, ImagePackage):
            return run_image(function, package, variables=variables, log=log)
        return zip_program(function, package, variables=variables, log=log, folder=folder)

    return make_program


class _Application:
    """moto's application and Lambda's Invoke, for several threads."""

    functions: Functions

    def __init__(self, logs: FunctionLogs) -> None:
        self._moto: WSGIApplication = DomainDispatcherApplication(create_backend_app)
        self._logs = logs

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        name = invoked_function(environ["PATH_INFO"])
        if name is not None and environ["REQUEST_METHOD"] == "POST":
            return answer(self.functions, name, Request(environ))(environ, start_response)
        with ACCOUNT_LOCK:
            self._logs.flush()
            return list(self._moto(environ, start_response))


class _QuietHandler(MotoRequestHandler):
    disable_nagle_algorithm = True

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Keep quiet: an error inside moto is logged by the server all the same."""
