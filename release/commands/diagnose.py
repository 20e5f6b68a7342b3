"""``python -m release diagnose``"""

from typing import Annotated, Any

import typer

from imagecheck.image.aws import READ_TIMEOUT_SECONDS
from imagecheck.image.layer_cache import LayerCache, default_folder
from imagecheck.progress import ProgressBar
from imagecheck.terminal import print_answer
from release.aws import aws_client
from release.diagnosis.causes import diagnose as find_causes
from release.diagnosis.gather import Question, check_with, gather
from release.diagnosis.report import as_json, as_text
from release.project import project_here

_STATUS = {"works": 0, "nothing found": 0, "broken": 1, "unknown": 2}


def diagnose(
    stage: Annotated[str, typer.Argument(metavar="STAGE", help="As in cdk.json.")],
    minutes: Annotated[
        int, typer.Option(min=1, max=1440, help="How far back the logs are read.")
    ] = 60,
    no_invoke: Annotated[
        bool,
        typer.Option("--no-invoke", help="Do not invoke the function, as where you may not."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Name the cause when the function of a stage does not work.

    Looks at the stack, the function behind alias `live`, its image (as `check` does), the last
    deployment and what the pre-traffic hook said, the logs, alarms and limits; and invokes `live`
    once, asking for a room that does not exist. The most likely cause comes first, with what shows
    it and the command that mends it. What could not be looked at is listed, and the rest still
    answers. Nothing is changed.

    **Examples**

    `python -m release diagnose dev`

    `python -m release diagnose prd --minutes 240 --json`

    Exit status 0: it works; 1: there is a cause; 2: too little could be seen to say.
    """
    project = project_here()
    one = project.stage(stage)

    def clients(service: str, *, once_within: float | None = None) -> Any:
        return aws_client(
            service,
            one.settings.region,
            read_timeout=once_within or READ_TIMEOUT_SECONDS,
            retry=once_within is None,
        )

    with ProgressBar() as progress:
        facts = gather(
            project,
            one,
            Question(minutes=minutes, invoke=not no_invoke),
            clients=clients,
            check=check_with(LayerCache(default_folder()), progress),
        )
    diagnosis = find_causes(facts)
    print_answer(as_json(diagnosis) if json else as_text(diagnosis))
    raise typer.Exit(_STATUS[diagnosis.verdict])
