"""``python -m release check``"""

import shlex
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from imagecheck.check import check_image
from imagecheck.comparison import compare
from imagecheck.function import Architecture, Function, split_variable
from imagecheck.image.errors import CannotLookError, NotInRegistryError
from imagecheck.image.layer_cache import LayerCache, default_folder
from imagecheck.image.manifest import digest_of
from imagecheck.image.open_source import open_source
from imagecheck.image.reference import FORMS, Reference, parse_reference
from imagecheck.progress import ProgressBar
from imagecheck.report import as_json, as_text
from imagecheck.template import read_function
from imagecheck.terminal import print_answer, step
from release.assembly import synthesized
from release.project import now, project_here
from release.record import note_passed


def check(
    image: Annotated[str, typer.Argument(metavar="IMAGE", help=FORMS, show_default=False)],
    stage: Annotated[
        str | None,
        typer.Option(
            help="The stage whose function it is for: a stage of cdk.json.", show_default=False
        ),
    ] = None,
    template: Annotated[
        Path | None,
        typer.Option(help="The synthesized template that has the function.", show_default=False),
    ] = None,
    function: Annotated[
        str | None,
        typer.Option(
            help="The function's logical id, if the template has several.", show_default=False
        ),
    ] = None,
    architecture: Annotated[
        Architecture | None, typer.Option(help="The function's CPU.", show_default=False)
    ] = None,
    entrypoint: Annotated[
        str | None,
        typer.Option(help="ENTRYPOINT in place of the image's.", show_default=False),
    ] = None,
    command: Annotated[
        str | None, typer.Option(help="CMD in place of the image's.", show_default=False)
    ] = None,
    workdir: Annotated[
        str | None, typer.Option(help="WORKDIR in place of the image's.", show_default=False)
    ] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(
            help="A variable of the function, NAME=value; repeatable.", show_default=False
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE", help="The base that it must be built on.", show_default=False
        ),
    ] = None,
    dockerfile: Annotated[
        Path | None,
        typer.Option(help="The Dockerfile, to see that no base can drift.", show_default=False),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="IMAGE",
            help="Another image: say what differs, and what of it explains a failure.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read an image before AWS does, and name what would stop it from starting.

    The image itself is read: from a registry, a folder or a file, without Docker and without root;
    nothing is unpacked. What is learned of a layer is kept, so the next image on the same base is
    read in a moment.

    Say which function it is for: with --stage (which is synthesized with this image pinned), with
    --template (from `cdk synth`), or at least with --architecture. ENTRYPOINT and CMD are written
    as in a shell, or as a JSON list. That the image of the last `build` has passed is noted.

    **Examples**

    `python -m release check oci:build/image --stage dev --dockerfile lambda_src/Dockerfile`

    `python -m release check docker://localhost:5000/rooms@sha256:... --template FILE`

    `python -m release check docker://NEW --against docker://OLD --architecture x86_64`

    Exit status 0: nothing stops it; 1: at least one error; 2: it could not be read.
    """
    if workdir == "":
        raise typer.BadParameter("--workdir is empty; leave it out to take the image's")
    reference = parse_reference(image)
    if stage is None:
        target = _function(template, function, architecture)
    elif template or function or architecture:
        raise typer.BadParameter("--stage says all of --template, --function and --architecture")
    else:
        target = _function_of(stage, reference)
    target = replace(
        target,
        entrypoint=_words(entrypoint, "--entrypoint") or target.entrypoint,
        command=_words(command, "--command") or target.command,
        workdir=workdir or target.workdir,
        environment={**target.environment, **dict(map(_variable, env or []))},
    )
    cache = LayerCache(default_folder())
    with ProgressBar() as progress:
        report = check_image(
            reference,
            target,
            cache=cache,
            progress=progress,
            base=parse_reference(base) if base else None,
            dockerfile=dockerfile,
        )
        differences = None
        if against:
            other = check_image(parse_reference(against), target, cache=cache, progress=progress)
            differences = compare(report, other)
    if not report.has_errors:
        digest = report.subject.image.digest
        note_passed(Path.cwd(), digest, target.architecture, "check", now())
    print_answer(as_json(report, differences) if json else as_text(report, differences))
    raise typer.Exit(int(report.has_errors))


def _function_of(stage_name: str, reference: Reference) -> Function:
    """Read the function of a stage, as it would be deployed with this image."""
    project = project_here()
    stage = project.stage(stage_name)
    with closing(open_source(reference)) as source:
        if source.compressed_on_push:
            raise typer.BadParameter(
                "only a push gives this image a digest to pin: leave --stage out, and say"
                f" --architecture {stage.settings.architecture}"
            )
        try:
            digest = digest_of(source.root().content)
        except NotInRegistryError as error:
            raise CannotLookError(str(error)) from None
    with step(f"synthesizing {stage.name}"), synthesized(project, stage, digest) as template:
        return read_function(template)


def _function(
    template: Path | None, logical_id: str | None, architecture: Architecture | None
) -> Function:
    if template is None:
        if logical_id:
            raise typer.BadParameter("--function names one of --template FILE")
        if architecture is None:
            raise typer.BadParameter(
                "say which function the image is for: --template FILE or --architecture arm64"
            )
        return Function(architecture)
    declared = read_function(template, logical_id)
    if architecture not in (None, declared.architecture):
        raise typer.BadParameter(
            f"the function in {template} is {declared.architecture}: leave --architecture out"
        )
    return declared


def _words(text: str | None, option: str) -> tuple[str, ...] | None:
    """Read a command: a JSON list, or words as in a shell."""
    if text is None:
        return None
    try:
        is_json = text.startswith("[")
        words = msgspec.json.decode(text, type=list[str]) if is_json else shlex.split(text)
    except (ValueError, msgspec.DecodeError) as error:
        raise typer.BadParameter(f"{option}: {error}") from None
    if not words:
        raise typer.BadParameter(f"{option} is empty; leave it out to take the image's")
    return tuple(words)


def _variable(text: str) -> tuple[str, str]:
    if "=" not in text or text.startswith("="):
        # What stands there may be a secret, so it is not repeated.
        raise typer.BadParameter("--env wants NAME=value")
    return split_variable(text)
