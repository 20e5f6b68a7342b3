"""Arguments and options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

StageArgument = Annotated[
    str, typer.Argument(metavar="STAGE", help="A stage of cdk.json.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
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
