"""Arguments and options that several commands have."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from imagecheck.errors import UsageError
from release.build.builder import Builder

StageArgument = Annotated[
    str, typer.Argument(metavar="STAGE", help="A stage of cdk.json.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
BuilderOption = Annotated[
    Builder | None,
    typer.Option(
        envvar="BUILDER",
        help="Build with docker (buildx) or with buildah (no daemon). Default: docker where it can"
        " build here, else buildah.",
        show_default=False,
    ),
]
BuildArgOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUE",
        envvar="BUILD_ARGS",
        help="Set an ARG of the Dockerfile, such as BASE; repeatable. The variable has them all,"
        " with spaces between.",
        show_default=False,
    ),
]
AssemblyOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Take the cloud assembly that `synth` left there.",
        show_default=False,
    ),
]
EmergencyOption = Annotated[
    bool,
    typer.Option(
        "--emergency",
        help="Shift all traffic at once: no canary, no pre-traffic hook, no alarms, no boot.",
    ),
]
DeploySkipBootOption = Annotated[
    bool,
    typer.Option(
        "--skip-boot",
        help="Deploy an image of which is not known whether it starts. A first deployment requires"
        " that it has passed `boot`; after that the pre-traffic hook is the gate that remains.",
    ),
]
SkipLifecycleOption = Annotated[
    bool,
    typer.Option(
        "--skip-lifecycle", help="Do not check that no lifecycle rule deletes a deployed image."
    ),
]
SkipSmokeOption = Annotated[
    bool, typer.Option("--skip-smoke", help="Do not test the API after the deployment.")
]
ApiUrlOption = Annotated[
    str | None,
    typer.Option(
        "--url",
        envvar="API_URL",
        help="Test the API at this URL, not at the stack's output ApiUrl.",
        show_default=False,
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask before CDK widens permissions.")]


def build_arguments(texts: Sequence[str] | None) -> dict[str, str]:
    """Read the values of ``BuildArgOption``. Raises UsageError."""
    return dict(map(_build_argument, texts or ()))


def _build_argument(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        # The value may be a secret, so it is not repeated.
        raise UsageError("--build-arg takes NAME=VALUE")
    return name, value
