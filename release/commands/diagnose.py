"""``python -m release diagnose``"""

from typing import Annotated, Any

import typer

from config.project import project_here
from imagecheck.image.aws import READ_TIMEOUT_SECONDS, aws_client
from imagecheck.image.layer_cache import LayerCache, default_folder
from imagecheck.progress import ProgressBar
from release.commands.options import JsonOption, StageArgument
from release.commands.output import print_result
from release.diagnosis.diagnose import diagnose as find_causes
from release.diagnosis.gather import Question, gather
from release.diagnosis.images import check_with
from release.diagnosis.report import DiagnoseResult, as_text, result_of
from release.place import say_place_if_known

RESULTS = (DiagnoseResult,)
_STATUS = {"works": 0, "nothing found": 0, "broken": 1, "unknown": 2}


def diagnose(
    stage: StageArgument,
    minutes: Annotated[
        int, typer.Option(min=1, max=1440, help="Read the logs of so many minutes.")
    ] = 60,
    no_invoke: Annotated[
        bool,
        typer.Option("--no-invoke", help="Do not invoke the function."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Find the cause when the function of a stage does not work.

    It reads the stack, the function behind alias `live`, its image (as `check` does), the last
    deployment, the pre-traffic hook's log, the logs, alarms and limits; and invokes `live` once, to
    get a room that does not exist. The most likely cause comes first, with the evidence and the
    command that fixes it. A source that cannot be read is listed, and the others are still read.
    Nothing is changed.

    **Examples**

    `python -m release diagnose dev`

    `python -m release diagnose prd --minutes 240 --json`

    Exit status 0: it works; 1: there is a cause; 2: too few sources could be read.
    """
    project = project_here()
    chosen = project.stage(stage)

    def clients(service: str, *, once_within: float | None = None) -> Any:
        return aws_client(
            service,
            chosen.region,
            read_timeout=once_within or READ_TIMEOUT_SECONDS,
            retry=once_within is None,
        )

    account = say_place_if_known(chosen)
    with ProgressBar() as progress:
        facts = gather(
            project,
            chosen,
            Question(minutes=minutes, invoke=not no_invoke),
            clients=clients,
            check=check_with(LayerCache(default_folder()), progress),
        )
    diagnosis = find_causes(facts)
    status = _STATUS[diagnosis.verdict]
    result = result_of(diagnosis, account)
    print_result("diagnose", result, as_text(diagnosis), json=json, ok=status == 0)
    raise typer.Exit(status)
