"""Starts the local system: the steps from an empty account to a URL.

One ``cdk deploy`` synthesizes and deploys all stacks. Beside its synth, the emulator is imported,
the account is bootstrapped, and DynamoDB Local starts. The image is pushed when its repository is
there, before the CDK CLI hears of that; the function starts while the page is deployed.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from config.image_lock import ImagePin, write_image_lock
from config.json_file import DamagedFileError, read_json_file
from config.names import StageNames
from config.settings import ConfigurationError, read_settings
from imagecheck.errors import FailedError
from imagecheck.function import Architecture
from lambda_runtime.runtime_client import RuntimeClient, source_fingerprint
from local.addresses import LOOPBACK, shared_url
from local.assets import put_large_files
from local.deploy import PROJECT, CdkCli, Deployment
from local.deployed import DeployedError
from local.execution_environment import FunctionProgram
from local.folder_lock import locked
from local.gateway import reserve_port
from local.image import LocalImage, build_image, push_image, write_layout
from local.progress import ProgressReport, SilentProgress

if TYPE_CHECKING:
    from local.cloud import Cloud
    from local.emulated_aws.functions import ImagePackage, RunnableFunction

STAGE = "local"
NAMES = StageNames(STAGE)
SOURCE = PROJECT / "lambda_src"
_STACKS: Final = (
    NAMES.registry_stack,
    NAMES.rooms_stack,
    NAMES.guard_stack,
    NAMES.web_stack,
)
_POLL_SECONDS: Final = 0.02


class FunctionDoesNotStartError(FailedError):
    """The handler cannot be loaded; the message has the runtime client's report."""


@dataclass(frozen=True, kw_only=True)
class System:
    """A running system."""

    url: str
    """The URL of the page on this machine, with the rooms API next to it."""
    shared_url: str | None
    """The same from other devices; None where they cannot reach it."""
    endpoint_url: str
    """The endpoint of the emulated AWS account."""
    function_log: Path


@contextmanager
def running_system(
    *,
    port: int,
    host: str = LOOPBACK,
    work_folder: Path,
    progress: ProgressReport | None = None,
    source: Path = SOURCE,
) -> Iterator[System]:
    """Deploy everything to an emulated AWS on this machine and serve it; port 0 takes a free one.

    ``host`` is the address to listen at; 0.0.0.0 lets other devices in, to page and API alone.
    Logs, lock file, image and cloud assembly stay in ``work_folder`` (an absolute path). On
    leaving, all is ended in reverse order. Raises PortInUseError, HostError or WorkFolderInUseError
    at once, and DeployError, BuildImageError, DeployedError, DynamoDbLocalError or
    FunctionDoesNotStartError for a failed step.
    """
    progress = progress or SilentProgress()
    work_folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        listener = stack.enter_context(reserve_port(port, host))
        stack.enter_context(locked(work_folder))
        step = _Stopwatch(progress)
        log_path = work_folder / "function.log"
        function_log = stack.enter_context(log_path.open("w", encoding="utf-8", buffering=1))
        images = _SourceImages(source)
        image, context = _pinned_image(source, work_folder)
        images.add(image)
        step.done("image built and pinned")

        endpoint = stack.enter_context(reserve_port(0))
        cdk = CdkCli(
            endpoint_url=f"http://localhost:{endpoint.getsockname()[1]}", work_folder=work_folder
        )
        stacks = _Stacks(step)
        with (
            cdk.deploying(_STACKS, context) as deployment,
            cdk.bootstrapping() as bootstrap,
        ):
            load = _load_emulator()
            cloud = stack.enter_context(
                load(
                    work_folder,
                    run_image=images.program,
                    echo=lambda line: print(line, file=function_log),
                    listener=endpoint,
                    deployed=stacks.deployed,
                )
            )
            stacks.push = lambda: push_image(cloud.client("ecr"), NAMES.repository, image)
            cloud.account.tables.start()
            step.done("emulated AWS")
            _wait(bootstrap.is_done, deployment)
            step.done("cdk bootstrap")
            _warm_up(cloud)
            _wait(deployment.is_synthesized, deployment)
            put_large_files(cloud.client("s3"), deployment.assembly)
            step.done("cdk synth")
            deployment.go_on()
            _wait(lambda: stacks.has(NAMES.rooms_stack), deployment)
            _start_functions(cloud, log_path)
            _wait(deployment.is_done, deployment)
            step.done("function started, cdk deploy web")

        url = stack.enter_context(
            cloud.serving_page(
                NAMES.web_stack, NAMES.rooms_stack, listener=listener, progress=progress
            )
        )
        yield System(
            url=url,
            shared_url=shared_url(listener),
            endpoint_url=cloud.account.endpoint_url,
            function_log=log_path,
        )


def _load_emulator() -> "Callable[..., AbstractContextManager[Cloud]]":
    """Import the emulator. It takes a second, for which the synth does not wait."""
    from local.emulated_aws import lean_import  # noqa: F401, I001, PLC0415  (before all else of moto's)
    from local.cloud import emulated_cloud  # noqa: PLC0415

    return emulated_cloud


def _pinned_image(source: Path, work_folder: Path) -> tuple[LocalImage, dict[str, str]]:
    """Build the image and pin it: its digest is known before it is pushed.

    Returns it, and the context with which the app is synthesized.
    """
    architecture = _architecture()
    image = build_image(source, architecture)
    write_layout(image, work_folder / "image")
    lock = work_folder / "image-lock.json"
    write_image_lock(lock, {STAGE: _pin(image, architecture)})
    return image, {"stage": STAGE, "imageLock": str(lock)}


def _warm_up(cloud: "Cloud") -> None:
    """Ask services something: the first request of each is slow, and there is time now."""
    cloud.client("apigatewayv2").get_apis()
    cloud.client("cloudformation").describe_stacks()
    cloud.client("ecr").describe_repositories()
    cloud.client("s3").list_buckets()


def _wait(is_over: Callable[[], bool], run: Deployment) -> None:
    """Wait for something while a command runs. Raises DeployError when that fails."""
    while not is_over() and not run.is_done():
        time.sleep(_POLL_SECONDS)


def _start_functions(cloud: "Cloud", log: Path) -> None:
    """Load the handlers of the API's functions. Raises FunctionDoesNotStartError."""
    for arn in {route.function_arn for route in cloud.read_api(NAMES.rooms_stack).routes}:
        if error := cloud.account.functions.start(arn):
            raise FunctionDoesNotStartError(
                f"the function does not start, and would not on AWS:\n{error}",
                hint=f"the whole log is in {log}",
            )


class _Stacks:
    """Hears of each deployed stack, in the thread of the request that has deployed it."""

    def __init__(self, step: "_Stopwatch") -> None:
        self._step = step
        self._known: list[str] = []
        self._failure: Exception | None = None
        self.push: Callable[[], str]
        """Pushes the image into the repository of the registry stack, and returns its digest."""

    def deployed(self, name: str) -> None:
        if name == NAMES.registry_stack:
            self._step.done("cdk deploy registry")
            try:
                digest = self.push()
            except Exception as error:  # noqa: BLE001  (`has` raises it in the thread that waits)
                self._failure = error
                return
            self._step.done(f"image {digest[:19]}… pushed")
        elif name == NAMES.rooms_stack:
            self._step.done("cdk deploy rooms")
        self._known.append(name)

    def has(self, name: str) -> bool:
        """Return whether a stack is deployed. Raises what has failed after an earlier one."""
        if self._failure is not None:
            raise self._failure
        return name in self._known


class _SourceImages:
    """Runs the images that were built from a folder, with the folder's own files and their edits.

    The images lack the base image, so they cannot be started themselves.
    """

    def __init__(self, source: Path) -> None:
        self._source = source
        self._handlers: dict[str, str] = {}

    def add(self, image: LocalImage) -> None:
        """Run this image, too."""
        self._handlers[image.manifest.digest] = image.handler

    def program(
        self,
        function: "RunnableFunction",
        package: "ImagePackage",
        *,
        variables: Mapping[str, str],
        log: Callable[[str], None],
    ) -> FunctionProgram:
        if package.digest not in self._handlers:
            known = ", ".join(self._handlers)
            name = function.settings.name
            raise DeployedError(f"{name} runs image {package.digest}, not {known}")
        return FunctionProgram(
            new_process=lambda: RuntimeClient(
                self._handlers[package.digest],
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


class _Context(msgspec.Struct, frozen=True):
    stages: dict[str, Any]


class _CdkJson(msgspec.Struct, frozen=True):
    context: _Context


def _architecture() -> Architecture:
    path = PROJECT / "cdk.json"
    try:
        stages = read_json_file(path, _CdkJson).context.stages
    except (FileNotFoundError, DamagedFileError) as error:
        raise ConfigurationError(
            f"{path} cannot be used: {error}",
            hint="as the last commit has it: git checkout HEAD -- cdk.json",
        ) from error
    return read_settings(stages, STAGE).architecture


def _pin(image: LocalImage, architecture: Architecture) -> ImagePin:
    return ImagePin(
        digest=image.manifest.digest,
        architecture=architecture,
        base_digest=image.base_digest,
        source_revision="working tree",
        pinned_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
