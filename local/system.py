"""Starts the local system: the steps from an empty account to a URL, in order."""

import fcntl
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from config.image_lock import ImagePin, write_image_lock
from config.names import StageNames
from config.settings import read_settings
from imagecheck.errors import FailedError
from imagecheck.function import Architecture
from lambda_runtime.runtime_client import RuntimeClient, source_fingerprint
from local.cloud import emulated_cloud
from local.deploy import PROJECT, CdkCli
from local.deployed import DeployedError
from local.emulated_aws.functions import ImagePackage, RunnableFunction
from local.execution_environment import FunctionProgram
from local.gateway import reserve_port
from local.image import LocalImage, build_image, push_image, write_layout
from local.progress import ProgressReport, SilentProgress

STAGE = "local"
NAMES = StageNames(STAGE)
SOURCE = PROJECT / "lambda_src"


class FunctionDoesNotStartError(FailedError):
    """The handler cannot be loaded; the message has the runtime client's report."""


class WorkFolderInUseError(FailedError):
    """Another system runs in the same folder; each would overwrite the other's files."""


@dataclass(frozen=True, kw_only=True)
class System:
    """A running system."""

    url: str
    """The URL of the page, with the rooms API next to it."""
    endpoint_url: str
    """The endpoint of the emulated AWS account."""
    function_log: Path


@contextmanager
def running_system(
    *,
    port: int,
    work_folder: Path,
    progress: ProgressReport | None = None,
    source: Path = SOURCE,
) -> Iterator[System]:
    """Deploy everything to an emulated AWS on this machine and serve it; port 0 takes a free one.

    Logs, lock file, image and cloud assembly stay in ``work_folder`` (an absolute path). On
    leaving, all is ended in reverse order. Raises PortInUseError or WorkFolderInUseError at once,
    and DeployError, BuildImageError, DeployedError or FunctionDoesNotStartError for a failed step.
    """
    progress = progress or SilentProgress()
    step = _Stopwatch(progress)
    work_folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        listener = stack.enter_context(reserve_port(port))
        stack.enter_context(_locked(work_folder))
        log_path = work_folder / "function.log"
        function_log = stack.enter_context(log_path.open("w", encoding="utf-8", buffering=1))
        images = _SourceImages(source)
        cloud = stack.enter_context(
            emulated_cloud(
                work_folder,
                run_image=images.program,
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
        images.handlers[digest] = image.handler
        write_image_lock(lock, {STAGE: _pin(image, digest, architecture)})
        step.done(f"image {digest[:19]}… pushed and pinned")

        cdk.deploy(NAMES.rooms_stack, context)
        step.done("cdk deploy rooms")

        for arn in {route.function_arn for route in cloud.read_api(NAMES.rooms_stack).routes}:
            if error := cloud.account.functions.start(arn):
                raise FunctionDoesNotStartError(
                    f"the function does not start, and would not on AWS:\n{error}",
                    hint=f"the whole log is in {log_path}",
                )
        step.done("function started")

        cdk.deploy(NAMES.web_stack, context)
        step.done("cdk deploy web")

        url = stack.enter_context(
            cloud.serving_page(
                NAMES.web_stack, NAMES.rooms_stack, listener=listener, progress=progress
            )
        )
        yield System(url=url, endpoint_url=endpoint_url, function_log=log_path)


class _SourceImages:
    """Runs the images that were built from a folder, with the folder's own files and their edits.

    The images lack the base image, so they cannot be started themselves.
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
    ) -> FunctionProgram:
        if package.digest not in self.handlers:
            known = ", ".join(self.handlers)
            name = function.settings.name
            raise DeployedError(f"{name} runs image {package.digest}, not {known}")
        return FunctionProgram(
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
    def __init__(self, progress: ProgressReport) -> None:
        self._progress = progress
        self._since = time.monotonic()

    def done(self, what: str) -> None:
        now = time.monotonic()
        self._progress.step(what, now - self._since)
        self._since = now


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WorkFolderInUseError(
                f"another system runs in {folder}",
                hint="end that one first: one folder serves one system at a time",
            ) from error
        yield


def _architecture() -> Architecture:
    cdk_json = json.loads((PROJECT / "cdk.json").read_text(encoding="utf-8"))
    return read_settings(cdk_json["context"]["stages"], STAGE).architecture


def _pin(image: LocalImage, digest: str, architecture: Architecture) -> ImagePin:
    return ImagePin(
        digest=digest,
        architecture=architecture,
        base_digest=image.base_digest,
        source_revision="working tree",
        pinned_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
