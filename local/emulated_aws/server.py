"""The emulated account: moto's server in this process, with our patches and running functions."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socket import create_server, socket
from typing import TYPE_CHECKING, Any

from moto.cloudformation.models import Stack, cloudformation_backends
from moto.core.base_backend import BackendDict
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.wrappers import Request

from local.emulated_aws import (
    account_settings,
    cloudformation,
    codedeploy,
    dynamic_references,
    registry,
    registry_images,
    resources,
    stack_operation,
    stacks,
)
from local.emulated_aws.account import ACCOUNT_ID, ACCOUNT_LOCK, CREDENTIALS, REGION
from local.emulated_aws.dynamodb import Tables
from local.emulated_aws.functions import Functions, ImagePackage, RunnableFunction
from local.emulated_aws.image_program import MakeImageProgram, image_program, no_image
from local.emulated_aws.invoke_api import answer, invoked_function
from local.emulated_aws.patching import Patch, patched
from local.emulated_aws.registry_client import RegistryClient
from local.emulated_aws.resources.web_acl import WebAclModel
from local.emulated_aws.telemetry import FunctionLogs
from local.emulated_aws.zip_program import zip_program
from local.execution_environment import FunctionProgram
from local.http_server import RequestHandler, serving_wsgi

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
    """An emulated account that is being served."""

    endpoint_url: str
    """The value for ``AWS_ENDPOINT_URL``."""
    functions: Functions
    """Its running functions."""
    tables: Tables
    """Its DynamoDB."""

    def stack_events(self) -> int:
        """Return the number of stack events so far; it changes with every change of a stack.

        Every request to the page and the API asks for it, so it does without the account's lock.
        Who reads a stack after that sees at least what these events tell of.
        """
        return sum(len(stack.events) for stack in _stacks())

    def stack_resources(self, name: str) -> list[Any]:
        """Return the models of a stack's resources; none where there is no such stack."""
        with ACCOUNT_LOCK:
            return [
                resource for stack in _stacks() if stack.name == name for resource in _of(stack)
            ]

    def web_acls(self) -> list[WebAclModel]:
        """Return all web ACLs that were deployed: a distribution's is in another Region."""
        with ACCOUNT_LOCK:
            deployed = (resource for stack in _stacks() for resource in _of(stack))
            return [resource for resource in deployed if isinstance(resource, WebAclModel)]


def _stacks() -> Iterator[Stack]:
    """Yield the stacks of all Regions."""
    for backend in list(cloudformation_backends[ACCOUNT_ID].values()):
        yield from list(backend.stacks.values())


def _of(stack: Stack) -> list[Any]:
    return list(stack.resource_map._parsed_resources.values())  # noqa: SLF001


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
    listener: socket | None = None,
    deployed: Callable[[str], None] = lambda _: None,
) -> Iterator[EmulatedAccount]:
    """Serve an empty AWS account, and run its functions.

    ``registry`` is HOST:PORT of a real registry, which then holds the images of ECR; without it,
    moto's ECR keeps only manifests. ``run_image`` runs image functions; without it, they are
    started from that registry in ``lambda_runtime.image_sandbox``. ``echo`` gets each line that a
    function logs. ``listener`` is a socket that listens on the loopback interface already; without
    it, a free port is taken. ``deployed`` gets the name of each stack that was deployed, before
    its deployer does; it may use the account.

    The host of the URL is ``localhost``: with another one moto mistakes the bucket of a template's
    URL for the host. State is per process, so there is one account at a time. One lock is around
    every request, and is released while a request waits for a function; see AccountLock.
    """
    with ExitStack() as stack:
        BackendDict.reset()
        stack.callback(BackendDict.reset)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="emulated-aws-")))
        client = RegistryClient(registry) if registry else None
        if client is not None:
            stack.enter_context(patched(registry_images.patches(client)))
            run_image = run_image or partial(image_program, registry=client, folder=folder)
        tables = stack.enter_context(closing(Tables()))
        logs = FunctionLogs()
        application = _Application(logs, tables)
        listener = listener or stack.enter_context(create_server(("127.0.0.1", 0)))
        port = listener.getsockname()[1]
        functions = application.functions = Functions(
            _make_program(run_image or no_image, folder),
            logs=logs,
            # An image may not resolve ``localhost``.
            endpoint_url=f"http://127.0.0.1:{port}",
            echo=echo,
        )
        resources.register()
        stack.enter_context(patched(_patches(functions, tables, deployed)))
        stack.enter_context(
            serving_wsgi(application, listener=listener, name="emulated-aws", handler=_Handler)
        )
        stack.callback(functions.close)
        yield EmulatedAccount(
            endpoint_url=f"http://localhost:{port}", functions=functions, tables=tables
        )


def _patches(
    functions: Functions, tables: Tables, deployed: Callable[[str], None]
) -> Iterator[Patch]:
    for part in (cloudformation, dynamic_references, stacks, registry):
        yield from part.patches()
    yield from resources.patches(tables)
    yield Patch(stack_operation.Listener, "deployed", staticmethod(deployed))
    yield from codedeploy.patches(functions.invoke)


def _make_program(run_image: MakeImageProgram, folder: Path) -> Callable[..., FunctionProgram]:
    def make_program(
        function: RunnableFunction, *, variables: Mapping[str, str], log: Callable[[str], None]
    ) -> FunctionProgram:
        package = function.package
        if isinstance(package, ImagePackage):
            return run_image(function, package, variables=variables, log=log)
        return zip_program(function, package, variables=variables, log=log, folder=folder)

    return make_program


class _Application:
    """moto's application, Lambda's Invoke API and DynamoDB, made thread-safe."""

    functions: Functions

    def __init__(self, logs: FunctionLogs, tables: Tables) -> None:
        self._tables = tables
        self._moto: WSGIApplication = DomainDispatcherApplication(create_backend_app)
        self._logs = logs

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        name = invoked_function(environ["PATH_INFO"])
        if name is not None and environ["REQUEST_METHOD"] == "POST":
            return answer(self.functions, name, Request(environ))(environ, start_response)
        if self._tables.is_meant(environ.get("HTTP_X_AMZ_TARGET", "")):
            return self._tables.answer(Request(environ))(environ, start_response)
        with ACCOUNT_LOCK:
            if environ["PATH_INFO"] == account_settings.PATH:
                return account_settings.answer()(environ, start_response)
            self._logs.flush()
            return list(self._moto(environ, start_response))


class _Handler(RequestHandler, MotoRequestHandler):
    """With moto's own handling of headers."""
