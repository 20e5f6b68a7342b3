"""The steps from nothing to a URL, in order."""

import fcntl
import json
import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3

from local.deploy import PROJECT, CdkCli
from local.deployed import DeployedError, read_api, read_function
from local.emulated_aws.server import ACCOUNT_ID, CREDENTIALS, REGION, emulated_aws
from local.execution_environment import ExecutionEnvironment
from local.gateway import reserve_port, serving
from local.image import Image, build_image, push_image, write_layout
from local.report import Report, Silence
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
    """Where the rooms API is served."""
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
        stack.enter_context(_server_log(work_folder / "emulated-aws.log"))

        endpoint_url = stack.enter_context(emulated_aws())
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
        digest = push_image(_client("ecr", endpoint_url), NAMES.repository, image)
        write_image_lock(lock, {STAGE: _pin(image, digest, architecture)})
        step.done(f"image {digest[:19]}… pushed and pinned")

        cdk.deploy(NAMES.rooms_stack, context)
        step.done("cdk deploy rooms")

        api = read_api(
            _client("apigatewayv2", endpoint_url), _api_id(endpoint_url), account_id=ACCOUNT_ID
        )
        log_path = work_folder / "function.log"
        function_log = stack.enter_context(log_path.open("w", encoding="utf-8", buffering=1))
        functions = {}
        for arn in {route.function_arn for route in api.routes}:
            function = read_function(
                _client("lambda", endpoint_url), arn, handler=image.handler, region=REGION
            )
            if function.image_digest != digest:
                raise DeployedError(f"{arn} runs image {function.image_digest}, not {digest}")
            environment = ExecutionEnvironment(
                function.settings,
                task_root=source,
                endpoint_url=endpoint_url,
                log=lambda line: print(line, file=function_log),
            )
            stack.callback(environment.close)
            if error := environment.start():
                raise FunctionDoesNotStartError(str(error))
            functions[arn] = environment.invoke
        step.done("function started")

        url = stack.enter_context(serving(api, functions, listener=listener, report=report))
        yield System(url=url, endpoint_url=endpoint_url, function_log=log_path)


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


@contextmanager
def _server_log(path: Path) -> Iterator[None]:
    """Send what werkzeug, and so moto, says of errors to a file instead of the terminal."""
    logger = logging.getLogger("werkzeug")
    handler = logging.FileHandler(path, mode="w", encoding="utf-8")
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


def _client(service: str, endpoint_url: str) -> Any:
    session: Any = boto3.Session(
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        region_name=REGION,
    )
    return session.client(service, endpoint_url=endpoint_url)


def _api_id(endpoint_url: str) -> str:
    """The rooms stack's output ``ApiUrl`` begins with the API's id."""
    cloudformation = _client("cloudformation", endpoint_url)
    stack = cloudformation.describe_stacks(StackName=NAMES.rooms_stack)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    return str(outputs["ApiUrl"]).removeprefix("https://").partition(".")[0]


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
