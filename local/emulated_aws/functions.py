"""Runs the account's functions: each version in execution environments of its own."""

import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from moto.awslambda.models import LambdaFunction, lambda_backends

from lambda_runtime.runtime_api import FunctionError
from local.emulated_aws.account import ACCOUNT_ID, ACCOUNT_LOCK, REGION
from local.emulated_aws.telemetry import FunctionLogs, Telemetry
from local.execution_environment import ExecutionEnvironment, FunctionProgram
from local.function_settings import FunctionSettings

ENVIRONMENTS: Final = max(2, os.cpu_count() or 1)
"""How many environments a version has at most. More than there are cores would only take turns."""
_PATIENCE_S: Final = 0.05


class FunctionsClosedError(Exception):
    """The account has ended, or the version of the function."""


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
    Unlike in Lambda, invocations of one version wait for each other: a moment before a further
    environment is started, and for as long as it takes once there are ``ENVIRONMENTS``.
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
        request_id = str(uuid.uuid4())
        with running.environment() as environment:
            outcome = environment.execution.invoke(
                event, function_arn=_invoked_arn(found, name, qualifier), request_id=request_id
            )
            log_tail = environment.telemetry.tail()
        if isinstance(outcome, FunctionError):
            outcome = _with_request_id(outcome, request_id)
        return InvocationResult(
            outcome=outcome, version=function.settings.version, log_tail=log_tail
        )

    def payload(self, name: str, event: bytes) -> bytes | FunctionError:
        """Run a function on an event (JSON), and return only its payload or error."""
        return self.invoke(name, event).outcome

    def start(self, name: str) -> FunctionError | None:
        """Start a function's process now. Returns the error when it does not start."""
        with ACCOUNT_LOCK:
            function = _runnable(lambda_backends[ACCOUNT_ID][REGION].get_function(name))
        with self._running_for(function).environment() as environment:
            return environment.execution.start()

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
            running = self._running[arn] = _Running(function, self._environment)
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

    def _environment(self, function: RunnableFunction) -> "_Environment":
        telemetry = Telemetry(function.settings, self._logs, echo=self._echo)
        variables = function.settings.variables(self._endpoint_url, telemetry.stream)
        program = self._make_program(function, variables=variables, log=telemetry.function_line)
        telemetry.launched = program.launched
        execution = ExecutionEnvironment(
            program,
            timeout_seconds=function.settings.timeout_seconds,
            function_arn=function.settings.arn,
            observer=telemetry,
        )
        return _Environment(execution, telemetry)


@dataclass(frozen=True)
class _Environment:
    """An execution environment, and what writes its log stream."""

    execution: ExecutionEnvironment
    telemetry: Telemetry


class _Running:
    """A running version. An invocation has an environment to itself.

    The first one unpacks the version; other functions do not wait for that.
    """

    def __init__(
        self, function: RunnableFunction, new: Callable[[RunnableFunction], _Environment]
    ) -> None:
        self.function = function
        self._new = new
        self._making = threading.Lock()
        self._changed = threading.Condition()
        self._all: list[_Environment] = []
        self._idle: list[_Environment] = []
        self._begun = 0
        self._closed = False

    @contextmanager
    def environment(self) -> Iterator[_Environment]:
        """Lend an environment: the one that was used last, since it is surely awake."""
        environment = self._idle_one() or self._further_one()
        try:
            yield environment
        finally:
            with self._changed:
                self._idle.append(environment)
                self._changed.notify()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        with self._making:
            every = list(self._all)
        for environment in every:
            environment.execution.close()

    def _idle_one(self) -> _Environment | None:
        """Wait for an environment. Returns None when the caller is to make a further one."""
        with self._changed:
            while not self._idle and not self._closed:
                if self._begun >= ENVIRONMENTS:
                    self._changed.wait()
                elif not self._begun or not self._changed.wait_for(self._may_go_on, _PATIENCE_S):
                    self._begun += 1
                    return None
            if self._closed:
                raise FunctionsClosedError
            return self._idle.pop()

    def _may_go_on(self) -> bool:
        return bool(self._idle) or self._closed or self._begun >= ENVIRONMENTS

    def _further_one(self) -> _Environment:
        try:
            with self._making:
                environment = self._new(self.function)
                self._all.append(environment)
        except BaseException:
            with self._changed:
                self._begun -= 1
                self._changed.notify()
            raise
        if self._closed:  # Perhaps only after `close` has looked.
            environment.execution.close()
        return environment


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
