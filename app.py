"""The CDK app: the stacks of a stage, or of several, chosen with ``-c stage=...``."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import Annotations, App, Environment, Stack
from constructs.image_digest import ImageDigest
from constructs.libraries_layer import LibrariesError
from constructs.page_files import PageFilesError

from stacks.delivery_stack import DeliveryStack
from stacks.github_stack import GithubStack
from stacks.image_lock import ImagePin, read_image_lock
from stacks.names import GITHUB_STACK, StageNames
from stacks.registry_stack import RegistryStack
from stacks.rooms_stack import RoomsStack
from stacks.settings import (
    ConfigurationError,
    GithubRepository,
    StageSettings,
    read_github,
    read_settings,
)
from stacks.web_stack import WebStack

ROOT = Path(__file__).parent


def build_app(*, context: Mapping[str, Any] | None = None) -> App:
    """Return the app for the stages that the context names: one, or several as in ``dev,prd``.

    A stage without a pinned image gets its registry alone, and a warning that says how to go on.
    No stack names an account, so the CDK CLI can deploy the same cloud assembly to any.

    Args:
        context: what the CDK CLI passes on its own: the context of ``cdk.json``, with ``-c``.

    Raises:
        ConfigurationError: ``cdk.json``, the lock file or the context says what cannot be.
        LibrariesError: the libraries of the zip cannot be installed.
        PageFilesError: a file of the page is missing.

    """
    app = App(context=context)
    settings = {
        stage: read_settings(_context(app, "stages"), stage)
        for stage in _context(app, "stage").split(",")
    }
    for stage, of_stage in settings.items():
        _define_stage(app, StageNames(stage), of_stage)
    return app


def _define_stage(app: App, names: StageNames, settings: StageSettings) -> None:
    lock = ROOT / _context(app, "imageLock")
    pin = read_image_lock(lock).get(names.stage)
    as_zip = _packaging(app) == "zip"
    emergency = _emergency(app)
    github = read_github(app.node.try_get_context("github"))

    environment = Environment(region=settings.region)
    registry = RegistryStack(
        app,
        names.registry_stack,
        names=names,
        settings=settings,
        env=environment,
        description="hima-five-bomber: the images of the rooms function",
    )
    if github:
        _define_delivery(app, names, github, environment)
    if pin is None and not as_zip:
        Annotations.of(registry).add_warning_v2(
            "hima-five-bomber:image-not-pinned",
            f"No image is pinned for stage {names.stage}, so only its registry stack is defined."
            f" For the rest: deploy this stack (npx cdk deploy -c stage={names.stage}), then build,"
            " check, boot, push and pin an image (python -m release build ... pin, which writes"
            f" {lock.name}), all as in README.md, 'Deploy to AWS'.",
        )
        return
    if pin and not as_zip:
        _require_deployable(pin, settings, names.stage, lock)
    rooms = RoomsStack(
        app,
        names.rooms_stack,
        names=names,
        settings=settings,
        pin=None if as_zip else pin,
        emergency=emergency,
        env=environment,
        description="hima-five-bomber: the rooms API",
    )
    rooms.add_stack_dependency(registry)
    web = WebStack(
        app,
        names.web_stack,
        names=names,
        settings=settings,
        env=environment,
        description="hima-five-bomber: the page, and the API next to it",
    )
    web.add_stack_dependency(rooms)


def _define_delivery(
    app: App, names: StageNames, github: GithubRepository, environment: Environment
) -> None:
    """Define what lets GitHub deploy a stage; the provider is one for all stages."""
    provider = app.node.try_find_child(GITHUB_STACK) or GithubStack(
        app,
        GITHUB_STACK,
        env=environment,
        description="hima-five-bomber: what GitHub is known by",
    )
    assert isinstance(provider, Stack)  # noqa: S101  # for the type checker
    delivery = DeliveryStack(
        app,
        names.delivery_stack,
        names=names,
        github=github,
        env=environment,
        description="hima-five-bomber: the roles of GitHub's jobs",
    )
    delivery.add_stack_dependency(provider)


def _context(app: App, key: str) -> Any:
    value = app.node.try_get_context(key)
    if value is None:
        raise ConfigurationError(
            f"there is no context {key!r}: it stands in cdk.json, which the CDK CLI reads"
            " (npx cdk synth)"
        )
    return value


def _packaging(app: App) -> str:
    packaging = _context(app, "packaging")
    if packaging not in {"image", "zip"}:
        raise ConfigurationError(
            f"there is no packaging {packaging!r}; choose image or zip with -c packaging=..."
        )
    return str(packaging)


def _emergency(app: App) -> bool:
    """Tell whether all gates of the deployment are off; nothing but the command line says so."""
    match app.node.try_get_context("emergency"):
        case None | "false":
            return False
        case "true":
            return True
        case value:
            raise ConfigurationError(
                f"-c emergency={value} is neither true nor false; it is not guessed at"
            )


def _require_deployable(pin: ImagePin, settings: StageSettings, stage: str, lock: Path) -> None:
    if pin.architecture != settings.architecture:
        raise ConfigurationError(
            f"the image pinned for stage {stage} is built for {pin.architecture}, but its function"
            f" is set to {settings.architecture}: it could not start. Pin an image built for"
            f" {settings.architecture}, or change context.stages.{stage}.architecture in cdk.json"
        )
    try:
        ImageDigest(pin.digest)
    except ValueError as error:
        raise ConfigurationError(f"{lock}, {stage}.digest: {error}") from error


if __name__ == "__main__":
    try:
        build_app().synth()
    except (ConfigurationError, LibrariesError, PageFilesError) as error:
        sys.exit(f"error: {error}")
