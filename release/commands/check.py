"""``python -m release check``: as ``lambda-image-check``, and it knows the stages."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from config.project import Project, Stage, now, project_here
from imagecheck.function import Function
from imagecheck.image.errors import ImageReadError, NotInRegistryError
from imagecheck.image.manifest import digest_of
from imagecheck.image.source import ImageSource
from imagecheck.options import CheckOptions, command_of
from imagecheck.plain_options import plain_options
from imagecheck.report.json_report import CheckResult
from imagecheck.run import run_check
from imagecheck.template import read_function
from imagecheck.terminal import print_answer
from release.build.record import note_passed
from release.cloud_assembly import assembly_with_image

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
    function_of = None
    if options.stage is not None:
        if options.template or options.function or options.architecture:
            raise typer.BadParameter(
                "--stage says all of --template, --function and --architecture"
            )
        project = project_here()
        function_of = partial(_function_of, project, project.stage(options.stage))
    elif not (options.template or options.architecture):
        # A gate that takes the image's own CPU for the function's finds the incident in no image.
        raise typer.BadParameter(
            "say which function the image is for: --stage NAME, --template FILE or"
            " --architecture arm64"
        )
    checked = run_check(options, function_of)
    subject = checked.report.subject
    if not checked.report.has_errors:
        note_passed(Path.cwd(), subject.image.digest, subject.function.architecture, "check", now())
    print_answer(checked.answer(options.answer_format, "check"))
    raise typer.Exit(checked.exit_status)


def _function_of(project: Project, stage: Stage, source: ImageSource) -> Function:
    """Read the function of a stage, as it would be deployed with this image."""
    if source.compressed_on_push:
        raise typer.BadParameter(
            "only a push gives this image a digest to pin: leave --stage out, and say"
            f" --architecture {stage.settings.architecture}"
        )
    try:
        digest = digest_of(source.root().content)
    except NotInRegistryError as error:
        raise ImageReadError(str(error)) from error
    return read_function(assembly_with_image(project, stage, digest).template(stage))


check = command_of(_check, _Options)


def run_plainly(arguments: Sequence[str]) -> bool:
    """Run it without typer where the arguments are plain; say whether it did."""
    options = plain_options(arguments, _Options)
    if options:
        _check(options)
    return options is not None
