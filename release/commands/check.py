"""``python -m release check``: as ``lambda-image-check``, and it knows the stages."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from config.project import now, project_here
from imagecheck.options import CheckOptions, command_of
from imagecheck.plain_options import plain_options
from imagecheck.report.json_report import CheckResult
from imagecheck.run import Checked, run_check
from imagecheck.terminal import print_answer
from release.build.gates import Passed, note_gate
from release.check_for_stage import check_for_stage

RESULTS = (CheckResult,)


@dataclass(frozen=True, kw_only=True)
class _Options(CheckOptions):
    stage: Annotated[
        str | None,
        typer.Option(
            help="The stage whose function it is for: a stage of cdk.json.", show_default=False
        ),
    ] = None


def _check(options: _Options) -> None:
    """Read an image before AWS does, and name what would stop it from starting.

    As `lambda-image-check`, which docs/lambda-image-check.md explains; and with --stage it knows
    the function, which is synthesized with this image pinned. That the image of the last `build`
    has passed is noted.

    **Examples**

    `python -m release check oci:build/image --stage dev --dockerfile lambda_src/Dockerfile`

    `python -m release check docker://localhost:5000/rooms@sha256:... --template FILE`

    `python -m release check docker://NEW --against docker://OLD --architecture x86_64`

    Exit status 0: no errors; 1: at least one error; 2: the image could not be checked.
    """
    if options.stage is not None:
        if options.template or options.function or options.architecture:
            raise typer.BadParameter(
                "--stage says all of --template, --function and --architecture"
            )
        project = project_here()
        checked = check_for_stage(project, project.stage(options.stage), options)
    else:
        if not (options.template or options.architecture):
            # A gate that takes the image's own CPU for the function's finds the incident in none.
            raise typer.BadParameter(
                "say which function the image is for: --stage NAME, --template FILE or"
                " --architecture arm64"
            )
        checked = run_check(options)
        _note(checked)
    print_answer(checked.answer(options.answer_format, "check"))
    raise typer.Exit(checked.exit_status)


def _note(checked: Checked) -> None:
    subject = checked.report.subject
    architecture = subject.function.architecture
    passed = None if checked.report.has_errors else Passed(at=now(), architecture=architecture)
    note_gate(Path.cwd(), subject.image.digest, architecture, "check", passed)


check = command_of(_check, _Options)


def run_plainly(arguments: Sequence[str]) -> bool:
    """Run it without typer where the arguments are plain; say whether it did."""
    options = plain_options(arguments, _Options)
    if options:
        _check(options)
    return options is not None
