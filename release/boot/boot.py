"""Starts an image as Lambda would, and runs the contract test against it."""

import json
import tempfile
import time
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from config.project import Project, Stage
from contract.event import contract_event, parse_response
from contract.run import (
    ContractRequest,
    ContractResponse,
    ContractTestError,
    NoResponseError,
    run_contract_test,
)
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
from lambda_runtime.image_sandbox import (
    ImageSandbox,
    unpack,
    users_with_lambdas,
)
from lambda_runtime.runtime_api import FunctionError
from release.boot.answer import Boot, Failure
from release.boot.copy import copy_to_layout
from release.boot.docker_container import DockerContainer, loaded_image
from release.boot.engine import (
    WHERE,
    Engine,
    EngineName,
    choose_engine,
    emulator_for,
    notes_on_emulation,
)
from release.boot.environment import environment_of, users_of
from release.boot.reading import (
    refused_by_another_cpu,
    refused_by_lambda,
    refused_command,
    refused_extension,
    refused_start,
    refused_workdir,
)
from release.boot.throw_away_tables import table_name, throw_away_tables
from release.planned_pin import assembly_with_image

# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib
INIT_TIMEOUT_SECONDS: Final = 10
# Lambda's limits of time, as many times over.
_EMULATION_TAKES: Final = 10
_ACCOUNT: Final = "123456789012"
_LAST_LINES: Final = 20
_MAX_LINE: Final = 2000


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
        assembly = assembly_with_image(project, stage, digest)
        template = assembly.template(stage)
        function = read_function(template)
        tables = read_tables(template)
        subject = replace(subject, function=function)
        for refuses in (
            refused_command,
            refused_by_another_cpu,
            refused_extension,
            refused_start,
        ):
            if failure := refuses(subject):
                return Boot(subject=subject, failure=failure)
        chosen = choose_engine(engine)
        emulator = emulator_for(function.architecture, chosen, stage.name)
        if chosen == "docker" and (failure := refused_workdir(subject)):
            return Boot(subject=subject, failure=failure)
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="boot-")))
            layout = _layout(source, image, folder / "layout", progress)
            with (
                step("unpacking, and starting DynamoDB Local"),
                ThreadPoolExecutor(max_workers=1) as beside,
            ):
                starting = beside.submit(
                    stack.enter_context, throw_away_tables(tables, stage.local_region)
                )
                rootfs = (
                    unpack(layout, folder / "rootfs", digest=digest)
                    if chosen == "sandbox"
                    else None
                )
                endpoint_url = starting.result()
            environment = environment_of(subject, stage, tables, endpoint_url)
            lines: deque[str] = deque(maxlen=_LAST_LINES)
            started = stack.enter_context(
                _engine(
                    rootfs,
                    layout=layout,
                    digest=digest,
                    subject=subject,
                    environment=environment,
                    folder=folder,
                    lines=lines,
                    is_emulated=bool(emulator),
                )
            )
            boot = Boot(
                subject=subject,
                function_key=assembly.function_key(stage),
                where=WHERE[chosen],
                emulator=emulator,
                notes=(*_notes(subject), *notes_on_emulation(function.architecture, emulator)),
            )
            with step("starting it and running the contract test"):
                boot = _run_contract_test(started, boot, stage)
            stack.close()  # Its last lines have been read then.
            notes = (*boot.notes, *_notes_on_tables(lines, tables))
            return replace(boot, output=tuple(lines), notes=notes)


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
    rootfs: Path | None,
    *,
    layout: Path,
    digest: str,
    subject: Subject,
    environment: Mapping[str, str],
    folder: Path,
    lines: deque[str],
    is_emulated: bool,
) -> Iterator[Engine]:
    def log(line: str) -> None:
        lines.append(line[:_MAX_LINE])

    # What an emulator needs for itself would count, too.
    memory_mb = None if is_emulated else _limits(subject).memory_mb
    if rootfs is None:
        users = folder / "passwd"
        users.write_bytes(users_with_lambdas(users_of(subject)))
        with (
            loaded_image(layout, digest) as tag,
            closing(
                DockerContainer(
                    tag,
                    start=subject.start,
                    function=subject.function,
                    environment=environment,
                    users=users,
                    memory_mb=memory_mb,
                    is_emulated=is_emulated,
                    log=log,
                )
            ) as container,
        ):
            yield container
        return
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
    patience = _EMULATION_TAKES if boot.emulator else 1
    error = engine.start(INIT_TIMEOUT_SECONDS * patience)
    if error is not None:
        return replace(boot, failure=Failure(error.type, error.message, "init"))
    ready = round((time.perf_counter() - began) * 1000, 1)
    timeout = _limits(boot.subject).timeout_seconds * patience
    function = f"arn:aws:lambda:{stage.local_region}:{_ACCOUNT}:function:{stage.names.function}"
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


def _notes_on_tables(
    lines: Iterable[str], tables: Mapping[str, Mapping[str, Any]]
) -> Iterator[str]:
    """Say which tables there are, where the function wrote that it asked for another one."""
    if any("ResourceNotFoundException" in line for line in lines):
        names = ", ".join(table_name(id_, table) for id_, table in tables.items()) or "none"
        yield (
            "the function asked DynamoDB for a table that is not there (ResourceNotFoundException);"
            f" its template makes: {names}"
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
