"""Runs the account's functions: each version in an execution environment of its own."""

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from moto.awslambda.models import LambdaFunction, lambda_backends

from lambda_runtime.runtime_api import FunctionError
from local.emulated_aws.account import ACCOUNT_ID, ACCOUNT_LOCK, REGION
from local.emulated_aws.telemetry import FunctionLogs, Telemetry
from local.execution_environment import ExecutionEnvironment, FunctionProgram
from local.function_settings import FunctionSettings


class FunctionsClosedError(Exception):
    """The account has ended."""


class ThrottledError(Exception):
    """The function's reserved concurrency is 0."""


@dataclass(frozen=True, kw_only=True)
class ImagePackage:
    """An image function's code."""

    repository: str
    digest: str
    entry_point: tuple[str, ...]
    """From the function's ImageConfig; it overrides the image's ENTRYPOINT unless it is empty."""
    command: tuple[str, ...]
    """Likewise for CMD."""
    working_directory: str | None
    """Likewise for WORKDIR."""


@dataclass(frozen=True, kw_only=True)
class ZipPackage:
    """A zip function's code."""

    code: bytes = field(repr=False)
    layers: tuple[bytes, ...] = field(repr=False)
    """In order: files of a later layer win."""
    architecture: str


@dataclass(frozen=True, kw_only=True)
class RunnableFunction:
    """A version of a function, with everything that decides how it runs."""

    settings: FunctionSettings
    package: ImagePackage | ZipPackage


class MakeProgram(Protocol):
    """Unpacks a function and returns a program that makes its processes."""

    def __call__(
        self,
        function: RunnableFunction,
        *,
        variables: Mapping[str, str],
        log: Callable[[str], None],
    ) -> FunctionProgram:
        """``variables`` are those of Lambda and of the function; ``log`` gets its output."""


@dataclass(frozen=True, kw_only=True)
class InvocationResult:
    """The outcome of an invocation."""

    outcome: bytes | FunctionError
    version: str
    log_tail: bytes


class Functions:
    """Runs functions by name or ARN. An alias is resolved at every invocation.

    The Invoke API, CodeDeploy (for hooks) and the gateway use it, without the account's lock.
    Unlike in Lambda, invocations of one version wait for each other.
    """

    def __init__(
        self,
        make_program: MakeProgram,
        *,
        logs: FunctionLogs,
        endpoint_url: str,
        echo: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Functions find AWS at ``endpoint_url``; ``echo`` gets each line that one logs."""
        self._make_program = make_program
        self._logs = logs
        self._endpoint_url = endpoint_url
        self._echo = echo
        self._lock = threading.Lock()
        self._running: dict[str, _Running] = {}
        self._closed = False

    def invoke(self, name: str, event: bytes, *, qualifier: str | None = None) -> InvocationResult:
        """Run a function on an event (JSON).

        ``name`` is a name or an ARN, either with a qualifier or without. Raises
        UnknownFunctionException or ThrottledError.
        """
        with ACCOUNT_LOCK:
            found = lambda_backends[ACCOUNT_ID][REGION].get_function(name, qualifier)
            if found.reserved_concurrency == 0:
                raise ThrottledError
            function = _runnable(found)
            versions = _versions_of(found)
        self._end_deleted_versions(function.settings.name, versions)
        running = self._running_for(function)
        environment = running.environment()
        request_id = str(uuid.uuid4())
        outcome = environment.invoke(
            event, function_arn=_invoked_arn(found, name, qualifier), request_id=request_id
        )
        if isinstance(outcome, FunctionError):
            outcome = _with_request_id(outcome, request_id)
        return InvocationResult(
            outcome=outcome,
            version=function.settings.version,
            log_tail=running.telemetry.tail(),
        )

    def payload(self, name: str, event: bytes) -> bytes | FunctionError:
        """Run a function on an event (JSON), and return only its payload or error."""
        return self.invoke(name, event).outcome

    def start(self, name: str) -> FunctionError | None:
        """Start a function's process now. Returns the error when it does not start."""
        with ACCOUNT_LOCK:
            function = _runnable(lambda_backends[ACCOUNT_ID][REGION].get_function(name))
        return self._running_for(function).environment().start()

    def close(self) -> None:
        """End all functions, and let none start."""
        with self._lock:
            self._closed = True
            running, self._running = list(self._running.values()), {}
        for each in running:
            each.close()

    def _running_for(self, function: RunnableFunction) -> "_Running":
        arn = function.settings.arn
        with self._lock:
            if self._closed:
                raise FunctionsClosedError
            before = self._running.get(arn)
            if before is not None and before.function == function:
                return before
            telemetry = Telemetry(function.settings, self._logs, echo=self._echo)
            running = self._running[arn] = _Running(function, telemetry, self._program)
        if before is not None:  # $LATEST was changed.
            before.close()
        return running

    def _end_deleted_versions(self, name: str, versions: set[str]) -> None:
        with self._lock:
            deleted = [
                self._running.pop(arn)
                for arn, running in list(self._running.items())
                if running.function.settings.name == name and arn not in versions
            ]
        for running in deleted:
            running.close()

    def _program(self, function: RunnableFunction, telemetry: Telemetry) -> FunctionProgram:
        variables = function.settings.variables(self._endpoint_url, telemetry.stream)
        return self._make_program(function, variables=variables, log=telemetry.function_line)


class _Running:
    """A running version. The first invocation unpacks it; other functions do not wait for that."""

    def __init__(
        self,
        function: RunnableFunction,
        telemetry: Telemetry,
        program: Callable[[RunnableFunction, Telemetry], FunctionProgram],
    ) -> None:
        self.function = function
        self.telemetry = telemetry
        self._program = program
        self._lock = threading.Lock()
        self._environment: ExecutionEnvironment | None = None
        self._closed = False

    def environment(self) -> ExecutionEnvironment:
        with self._lock:
            if self._closed:
                raise FunctionsClosedError
            if self._environment is None:
                program = self._program(self.function, self.telemetry)
                self.telemetry.launched = program.launched
                self._environment = ExecutionEnvironment(
                    program,
                    timeout_seconds=self.function.settings.timeout_seconds,
                    function_arn=self.function.settings.arn,
                    observer=self.telemetry,
                )
            return self._environment

    def close(self) -> None:
        self._closed = True
        with self._lock:
            environment = self._environment
        if environment is not None:
            environment.close()


def _runnable(found: LambdaFunction) -> RunnableFunction:
    """Return what is needed to run one of moto's functions; the caller holds the account's lock."""
    configuration = found.get_configuration()
    logging = configuration.get("LoggingConfig", {})
    is_image = found.package_type == "Image"
    settings = FunctionSettings(
        name=found.function_name,
        version=str(found.version),
        arn=found.function_arn,
        handler=None if is_image else found.handler,
        memory_mb=int(found.memory_size),
        timeout_seconds=int(found.timeout),
        region=found.region,
        log_group=logging.get("LogGroup", found.logs_group_name),
        log_format=logging.get("LogFormat", "Text"),
        log_level=logging.get("ApplicationLogLevel"),
        environment=dict(found.environment_vars),
    )
    return RunnableFunction(settings=settings, package=_image(found) if is_image else _zip(found))


def _image(found: LambdaFunction) -> ImagePackage:
    config = found.image_config
    return ImagePackage(
        repository=found.code["ImageUri"].partition("@")[0].partition("/")[2].partition(":")[0],
        digest=f"sha256:{found.code_sha_256}",
        entry_point=tuple(config.entry_point),
        command=tuple(config.cmd),
        working_directory=config.working_directory,
    )


def _zip(found: LambdaFunction) -> ZipPackage:
    backend = lambda_backends[ACCOUNT_ID][REGION]
    layers = [backend.layers_versions_by_arn(layer["Arn"]) for layer in found.layers]
    return ZipPackage(
        code=found.code_bytes,
        layers=tuple(layer.code_bytes for layer in layers if layer is not None),
        architecture=found.architectures[0],
    )


def _versions_of(found: LambdaFunction) -> set[str]:
    entry = lambda_backends[ACCOUNT_ID][REGION]._lambdas._functions[found.function_name]  # noqa: SLF001
    latest = {entry["latest"].function_arn} if entry["latest"] else set[str]()
    return latest | {version.function_arn for version in entry["versions"]}


def _invoked_arn(found: LambdaFunction, name: str, qualifier: str | None) -> str:
    """Return the ARN in the function's context: with the caller's qualifier, if there is one."""
    if qualifier is None and name.count(":") in (1, 7):
        qualifier = name.rpartition(":")[2]
    unqualified = ":".join(found.function_arn.split(":")[:7])
    return f"{unqualified}:{qualifier}" if qualifier else unqualified


def _with_request_id(error: FunctionError, request_id: str) -> FunctionError:
    """Add the request id to an error of Lambda's own; a handler's error stays unchanged."""
    own = error.type.startswith(("Runtime.Invalid", "Runtime.Exit", "Sandbox.", "Extension."))
    if not own or error.message.startswith("RequestId: "):
        return error
    return replace(error, message=f"RequestId: {request_id} Error: {error.message}")
