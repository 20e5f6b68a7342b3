"""The steps from nothing to a URL, in order."""

import fcntl
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from local.cloud import emulated_cloud
from local.deploy import PROJECT, CdkCli
from local.deployed import DeployedError
from local.emulated_aws.functions import ImagePackage, RunnableFunction
from local.execution_environment import Program
from local.gateway import reserve_port
from local.image import Image, build_image, push_image, write_layout
from local.report import Report, Silence
from local.runtime_client import RuntimeClient, source_fingerprint
from stacks.image_lock import ImagePin, write_image_lock
from stacks.names import StageNames
from stacks.settings import Architecture, read_settings

STAGE = "local"
NAMES = StageNames(STAGE)
SOURCE = PROJECT / "lambda_src"


class FunctionDoesNotStartError(Exception):
    """The handler cannot be loaded; the message is what the runtime client reports."""


class WorkFolderInUseError(Exception):
    """Another system runs in the same folder; two would write over each other's files."""


@dataclass(frozen=True, kw_only=True)
class System:
    """A running system."""

    url: str
    """Where the page and, next to it, the rooms API are served."""
    endpoint_url: str
    """Where the emulated AWS account is."""
    function_log: Path


@contextmanager
def running_system(
    *,
    port: int,
    work_folder: Path,
    report: Report | None = None,
    source: Path = SOURCE,
) -> Iterator[System]:
    """Deploy everything to an emulated AWS on this machine and serve it; port 0 takes a free one.

    Logs, lock file, image and cloud assembly stay in ``work_folder`` (an absolute path). Whatever
    was started is ended on leaving, in reverse order. Raises PortInUseError or WorkFolderInUseError
    at once, then DeployError, ImageError, DeployedError or FunctionDoesNotStartError when a step
    fails.
    """
    report = report or Silence()
    step = _Stopwatch(report)
    work_folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        listener = stack.enter_context(reserve_port(port))
        stack.enter_context(_alone_in(work_folder))
        log_path = work_folder / "function.log"
        function_log = stack.enter_context(log_path.open("w", encoding="utf-8", buffering=1))
        built = _Built(source)
        cloud = stack.enter_context(
            emulated_cloud(
                work_folder,
                run_image=built.program,
                echo=lambda line: print(line, file=function_log),
            )
        )
        endpoint_url = cloud.account.endpoint_url
        step.done("emulated AWS")

        cdk = CdkCli(endpoint_url=endpoint_url, work_folder=work_folder)
        cdk.bootstrap()
        step.done("cdk bootstrap")
        lock = work_folder / "image-lock.json"
        context = {"stage": STAGE, "imageLock": str(lock)}
        write_image_lock(lock, {})
        cdk.deploy(NAMES.registry_stack, context)
        step.done("cdk deploy registry")

        architecture = _architecture()
        image = build_image(source, architecture)
        write_layout(image, work_folder / "image")
        digest = push_image(cloud.client("ecr"), NAMES.repository, image)
        built.handlers[digest] = image.handler
        write_image_lock(lock, {STAGE: _pin(image, digest, architecture)})
        step.done(f"image {digest[:19]}… pushed and pinned")

        cdk.deploy(NAMES.rooms_stack, context)
        step.done("cdk deploy rooms")

        for arn in {route.function_arn for route in cloud.read_api(NAMES.rooms_stack).routes}:
            if error := cloud.account.functions.start(arn):
                raise FunctionDoesNotStartError(str(error))
        step.done("function started")

        cdk.deploy(NAMES.web_stack, context)
        step.done("cdk deploy web")

        url = stack.enter_context(
            cloud.serving_page(NAMES.web_stack, NAMES.rooms_stack, listener=listener, report=report)
        )
        yield System(url=url, endpoint_url=endpoint_url, function_log=log_path)


class _Built:
    """Stands for the images that were built of a folder: they run from it, and show its edits.

    They lack the base image, so they cannot be started themselves.
    """

    def __init__(self, source: Path) -> None:
        self._source = source
        self.handlers: dict[str, str] = {}
        """By digest."""

    def program(
        self,
        function: RunnableFunction,
        package: ImagePackage,
        *,
        variables: Mapping[str, str],
        log: Callable[[str], None],
    ) -> Program:
        if package.digest not in self.handlers:
            known = ", ".join(self.handlers)
            name = function.settings.name
            raise DeployedError(f"{name} runs image {package.digest}, not {known}")
        return Program(
            new_process=lambda: RuntimeClient(
                self.handlers[package.digest],
                task_root=self._source,
                environment=variables,
                memory_mb=function.settings.memory_mb,
                log=log,
            ),
            source=lambda: source_fingerprint(self._source),
        )


class _Stopwatch:
    def __init__(self, report: Report) -> None:
        self._report = report
        self._since = time.monotonic()

    def done(self, what: str) -> None:
        now = time.monotonic()
        self._report.step(what, now - self._since)
        self._since = now


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkFolderInUseError(f"another system runs in {folder}") from None
        yield


def _architecture() -> Architecture:
    cdk_json = json.loads((PROJECT / "cdk.json").read_text(encoding="utf-8"))
    return read_settings(cdk_json["context"]["stages"], STAGE).architecture


def _pin(image: Image, digest: str, architecture: Architecture) -> ImagePin:
    return ImagePin(
        digest=digest,
        architecture=architecture,
        base_digest=image.base_digest,
        source_revision="working tree",
        pinned_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
