"""The CDK app: the stacks of a stage, or of several, chosen with ``-c stage=...``."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aws_cdk import Annotations, App, Environment, Stack
from constructs.image_digest import ImageDigest

from config.image_lock import ImagePin, read_image_lock
from config.names import GITHUB_STACK, GUARD_REGION, StageNames
from config.settings import (
    ConfigurationError,
    GithubRepository,
    StageSettings,
    read_github,
    read_settings,
)
from imagecheck.errors import CommandError
from stacks.delivery_stack import DeliveryStack
from stacks.github_stack import GithubStack
from stacks.guard_stack import GuardStack
from stacks.registry_stack import RegistryStack
from stacks.rooms_stack import RoomsStack
from stacks.web_stack import WebStack

ROOT = Path(__file__).parent


def build_app(*, context: Mapping[str, Any] | None = None) -> App:
    """Return the app for the stages in the context: one, or several as in ``dev,prd``.

    A stage without a pinned image gets only its registry, and a warning with the next steps. No
    stack names an account, so the CDK CLI can deploy the same cloud assembly to any.

    Args:
        context: that of ``cdk.json``, with the ``-c`` options; the CDK CLI passes it itself.

    Raises:
        ConfigurationError: ``cdk.json``, the lock file or the context is invalid.
        LibrariesError: the libraries of the zip cannot be installed.
        PageFilesError: a file of the page is missing.

    """
    app = App(context=context)
    settings = {
        stage: read_settings(_context(app, "stages"), stage)
        for stage in _context(app, "stage").split(",")
    }
    lock = ROOT / _context(app, "imageLock")
    # Once for all: it may be a pipe.
    pins = read_image_lock(lock)
    for stage, stage_settings in settings.items():
        names = StageNames(stage, stage_settings.table)
        _define_stage(app, names, stage_settings, lock, pins.get(stage))
    return app


def _define_stage(
    app: App, names: StageNames, settings: StageSettings, lock: Path, pin: ImagePin | None
) -> None:
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
        _define_delivery(app, names, settings, github, environment)
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
    if settings.has_guard:
        guard = GuardStack(
            app,
            names.guard_stack,
            names=names,
            settings=settings,
            env=Environment(region=GUARD_REGION),
            description="hima-five-bomber: the limit for each client, and the budget",
        )
        web.add_stack_dependency(guard)


def _define_delivery(
    app: App,
    names: StageNames,
    settings: StageSettings,
    github: GithubRepository,
    environment: Environment,
) -> None:
    """Define the roles with which GitHub deploys a stage; all stages share one OIDC provider."""
    provider = app.node.try_find_child(GITHUB_STACK) or GithubStack(
        app,
        GITHUB_STACK,
        env=environment,
        description="hima-five-bomber: the OIDC provider of GitHub",
    )
    assert isinstance(provider, Stack)  # noqa: S101  # for the type checker
    delivery = DeliveryStack(
        app,
        names.delivery_stack,
        names=names,
        settings=settings,
        github=github,
        env=environment,
        description="hima-five-bomber: the roles of the GitHub jobs",
    )
    delivery.add_stack_dependency(provider)


def _context(app: App, key: str) -> Any:
    value = app.node.try_get_context(key)
    if value is None:
        raise ConfigurationError(
            f"there is no context {key!r}",
            hint="it is in cdk.json, which the CDK CLI reads: npx cdk synth",
        )
    return value


def _packaging(app: App) -> str:
    packaging = _context(app, "packaging")
    if packaging not in {"image", "zip"}:
        raise ConfigurationError(
            f"there is no packaging {packaging!r}",
            hint="-c packaging=image, or -c packaging=zip",
        )
    return str(packaging)


def _emergency(app: App) -> bool:
    """Return whether all gates of the deployment are off: only the command line can say so."""
    match app.node.try_get_context("emergency"):
        case None | "false":
            return False
        case "true":
            return True
        case value:
            raise ConfigurationError(f"-c emergency={value} is neither true nor false")


def _require_deployable(pin: ImagePin, settings: StageSettings, stage: str, lock: Path) -> None:
    if pin.architecture != settings.architecture:
        raise ConfigurationError(
            f"the image pinned for stage {stage} is built for {pin.architecture}, but its function"
            f" is set to {settings.architecture}: it could not start",
            hint=f"pin an image built for {settings.architecture}, or change"
            f" context.stages.{stage}.architecture in cdk.json",
        )
    try:
        ImageDigest(pin.digest)
    except ValueError as error:
        raise ConfigurationError(f"{lock}, {stage}.digest: {error}") from error


if __name__ == "__main__":
    try:
        build_app().synth()
    except CommandError as error:
        hint = f"\nhint: {error.hint}" if error.hint else ""
        sys.exit(f"error: {error.message}{hint}")
