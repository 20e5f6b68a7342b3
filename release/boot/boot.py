"""Starts an image as Lambda would, and runs the contract test against it."""

import json
import shutil
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from config.project import Project, Stage
from contract.event import contract_event, parse_response
from contract.run import (
    ContractRequest,
    ContractResponse,
    ContractTestError,
    NoResponseError,
    run_contract_test,
)
from imagecheck.errors import FailedError
from imagecheck.function import Declared, Function, Limits
from imagecheck.image.errors import ImageReadError
from imagecheck.image.image import Image
from imagecheck.image.image_reader import ImageReader, Progress
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.manifest import digest_of
from imagecheck.image.open_source import open_source
from imagecheck.image.reference import FileReference, Reference
from imagecheck.image.source import ImageSource
from imagecheck.start.extensions import FOLDER
from imagecheck.subject import Subject
from imagecheck.template import limits_of, read_function, read_tables
from imagecheck.terminal import step
from lambda_runtime.image_sandbox import ImageSandbox, ImageSandboxError, require_tools, unpack
from lambda_runtime.runtime_api import FunctionError
from lambda_runtime.variables import lambda_variables
from release.boot.answer import Boot, Failure
from release.boot.copy import copy_to_layout
from release.boot.docker_container import DockerContainer, loaded_image
from release.boot.reading import (
    refused_by_another_cpu,
    refused_by_lambda,
    refused_command,
    refused_extension,
    refused_workdir,
    require_cpu_of,
)
from release.boot.throw_away_tables import table_name, throw_away_tables
from release.cloud_assembly import assembly_with_image

EngineName = Literal["sandbox", "docker"]

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
INIT_TIMEOUT_SECONDS: Final = 10
WHERE: Final[dict[EngineName, str]] = {
    "sandbox": "bubblewrap, as user 993:990, on a read-only root with /tmp to write to",
    "docker": "docker, as user 993:990, on a read-only root with /tmp to write to",
}
_ACCOUNT: Final = "123456789012"
_LAST_LINES: Final = 20
_MAX_LINE: Final = 1000


class Engine(Protocol):
    """What an image runs in: one process, that starts once. ``ImageSandbox`` is one."""

    def start(self, timeout: float) -> FunctionError | None:
        """Start it; return the error if it does not ask for an event within ``timeout`` s."""
        ...

    def invoke(self, event: bytes, *, timeout: float, function_arn: str) -> bytes | FunctionError:
        """Give it an event; after ``timeout`` seconds, or an end, it is gone."""
        ...

    def close(self) -> None:
        """End it."""
        ...


def choose_engine(asked: EngineName | None) -> EngineName:
    """Take what was asked for; else the sandbox where its tools are, and docker where they are not.

    Raises FailedError when there is neither.
    """
    try:
        if asked != "docker":
            require_tools()
            return "sandbox"
    except ImageSandboxError as error:
        if asked == "sandbox" or shutil.which("docker") is None:
            hints = (error.hint, None if asked else "install Docker")
            hint = ", or ".join(filter(None, hints)) or None
            raise FailedError(error.message, hint=hint) from error
    if shutil.which("docker") is None:
        raise FailedError("docker is not installed")
    return "docker"


def boot_image(
    project: Project,
    stage: Stage,
    reference: Reference,
    *,
    engine: EngineName | None = None,
    cache: LayerCache,
    progress: Progress,
) -> Boot:
    """Start an image as the function of a stage would, and run the contract test.

    Raises:
        ImageReadError: the image or the template cannot be read.
        FailedError: it cannot be found out here.

    """
    with closing(open_source(reference)) as source:
        reader = ImageReader(source, cache, progress)
        image = reader.read(Function(stage.settings.architecture).image_architecture)
        subject = Subject(
            image=image,
            function=Function(stage.settings.architecture),
            contents=partial(reader.contents, image),
        )
        if failure := refused_by_lambda(image):
            return Boot(subject=subject, failure=failure)
        digest = image.digest or digest_of(source.root().content)
        template = assembly_with_image(project, stage, digest).template(stage)
        function = read_function(template)
        tables = read_tables(template)
        subject = replace(subject, function=function)
        for refuses in (
            refused_command,
            refused_by_another_cpu,
            refused_extension,
            require_cpu_of,
        ):
            if failure := refuses(subject):
                return Boot(subject=subject, failure=failure)
        chosen = choose_engine(engine)
        if chosen == "docker" and (failure := refused_workdir(subject)):
            return Boot(subject=subject, failure=failure)
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="boot-")))
            layout = _layout(source, image, folder / "layout", progress)
            with step("starting DynamoDB Local"):
                endpoint_url = stack.enter_context(throw_away_tables(tables, stage.settings.region))
            environment = _environment(subject, stage, tables, endpoint_url)
            lines: deque[str] = deque(maxlen=_LAST_LINES)
            started = stack.enter_context(
                _engine(
                    chosen,
                    layout=layout,
                    digest=digest,
                    subject=subject,
                    environment=environment,
                    folder=folder,
                    lines=lines,
                )
            )
            boot = Boot(subject=subject, where=WHERE[chosen], notes=_notes(subject))
            with step("starting it and running the contract test"):
                boot = _run_contract_test(started, boot, stage)
            stack.close()  # Its last lines have been read then.
            return replace(boot, output=tuple(lines))


def _layout(source: ImageSource, image: Image, folder: Path, progress: Progress) -> Path:
    """Return a layout that has the image: where it is one already, that one."""
    if isinstance(source.reference, FileReference) and source.reference.transport == "oci":
        return source.reference.path
    with step("copying the image"):
        copied = copy_to_layout(source, folder, progress)
    if image.digest not in (None, copied):
        raise ImageReadError(f"{image.reference} changed while it was read")
    return folder


@contextmanager
def _engine(
    name: EngineName,
    *,
    layout: Path,
    digest: str,
    subject: Subject,
    environment: Mapping[str, str],
    folder: Path,
    lines: deque[str],
) -> Iterator[Engine]:
    def log(line: str) -> None:
        lines.append(line[:_MAX_LINE])

    memory_mb = _limits(subject).memory_mb
    if name == "docker":
        with (
            loaded_image(layout, digest) as tag,
            closing(
                DockerContainer(
                    tag,
                    start=subject.start,
                    function=subject.function,
                    environment=environment,
                    memory_mb=memory_mb,
                    log=log,
                )
            ) as container,
        ):
            yield container
        return
    with step("unpacking"):
        rootfs = unpack(layout, folder / "rootfs", digest=digest)
    with ImageSandbox(
        rootfs,
        command=subject.start.argv,
        workdir=subject.start.workdir,
        environment=environment,
        memory_mb=memory_mb,
        log=log,
    ) as sandbox:
        yield sandbox


def _run_contract_test(engine: Engine, boot: Boot, stage: Stage) -> Boot:
    began = time.perf_counter()
    error = engine.start(INIT_TIMEOUT_SECONDS)
    if error is not None:
        return replace(boot, failure=Failure(error.type, error.message, "init"))
    ready = round((time.perf_counter() - began) * 1000, 1)
    timeout = _limits(boot.subject).timeout_seconds
    function = f"arn:aws:lambda:{stage.settings.region}:{_ACCOUNT}:function:{stage.names.function}"
    errors: list[FunctionError] = []

    def ask(request: ContractRequest) -> ContractResponse:
        event = contract_event(request, request_id=str(uuid.uuid4()))
        outcome = engine.invoke(
            json.dumps(event).encode(), timeout=timeout, function_arn=f"{function}:live"
        )
        if isinstance(outcome, FunctionError):
            errors.append(outcome)
            raise NoResponseError(_one_line(outcome))
        return parse_response(outcome)

    try:
        steps = run_contract_test(ask)
    except ContractTestError as wrong:
        # What comes after the first one comes of cleaning up.
        failure = (
            Failure(errors[0].type, errors[0].message, wrong.step)
            if errors and wrong.found == _one_line(errors[0])
            else Failure("", wrong.found, wrong.step)
        )
        return replace(boot, ready_milliseconds=ready, steps=wrong.done, failure=failure)
    return replace(boot, ready_milliseconds=ready, steps=tuple(steps))


def _one_line(error: FunctionError) -> str:
    return f"{error.type}: {error.message}"


def _environment(
    subject: Subject, stage: Stage, tables: Mapping[str, Mapping[str, Any]], endpoint_url: str
) -> dict[str, str]:
    """Return what the process gets: the image's variables, the function's, and Lambda's."""
    declared = _declared(subject)
    logging = declared.properties.get("LoggingConfig") or {}
    names = {f"${{{id_}}}": table_name(id_, table) for id_, table in tables.items()}
    own = {name: names.get(value, value) for name, value in subject.start.environment.items()}
    return own | lambda_variables(
        name=stage.names.function,
        version="1",
        memory_mb=limits_of(declared).memory_mb,
        region=stage.settings.region,
        log_group=f"/aws/lambda/{stage.names.function}",
        log_format=logging.get("LogFormat", "Text"),
        log_level=logging.get("ApplicationLogLevel"),
        endpoint_url=endpoint_url,
    )


def _notes(subject: Subject) -> tuple[str, ...]:
    folder = subject.files.find(FOLDER) if subject.files else None
    if not folder or not folder.children:
        return ()
    return (
        f"{FOLDER} has {', '.join(sorted(folder.children))}: Lambda starts extensions, and fails"
        " when one does; here none was started",
    )


def _limits(subject: Subject) -> Limits:
    return limits_of(_declared(subject))


def _declared(subject: Subject) -> Declared:
    declared = subject.function.declared
    assert declared  # noqa: S101  (it was read from a template)
    return declared
