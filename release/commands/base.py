"""``python -m release base``"""

from typing import Annotated

import typer

from config.project import Project, project_here
from imagecheck.function import Architecture
from imagecheck.terminal import say, step
from release.base.facts import read_facts
from release.base.newer import find_newer
from release.base.pinned import read_pinned_base, write_base
from release.base.report import BaseResult, BaseUpdate, as_markdown, result_of
from release.build.context import SOURCE
from release.commands.options import JsonOption
from release.commands.output import print_result

RESULTS = (BaseResult,)


def base(
    write: Annotated[
        bool, typer.Option("--write", help="Write the newer digest into the Dockerfile.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Look for a newer base image, and show what is different in it.

    lambda_src/Dockerfile names the base by tag and digest. The registry tells the tag's digest of
    today; both images are read, without Docker, and compared: versions, configuration, layers and
    files. Where the tag is an index, the image for the function's CPU decides. The answer is
    Markdown, for a pull request.

    **Examples**

    `python -m release base`

    `python -m release base --write > news.md`

    Exit status 0: there is a newer one, or none; 1: the Dockerfile or the tag cannot be used; 2:
    the registry cannot be read.
    """
    project = project_here()
    pinned = read_pinned_base(project.root / SOURCE / "Dockerfile")
    with step(f"reading the tag from {pinned.host}"):
        newer = find_newer(pinned, _architectures(project))
    now = before = None
    if newer.is_newer:
        with step("comparing the images"):
            now = read_facts(pinned.by(newer.image), newer.architecture)
            if newer.pinned_image:
                before = read_facts(pinned.by(newer.pinned_image), newer.architecture)
        if write:
            write_base(pinned, newer.digest)
            say(f"{SOURCE}/Dockerfile names it now")
    update = BaseUpdate(pinned, newer, now, before, written=write and newer.is_newer)
    print_result("base", result_of(update), as_markdown(update), json=json)


def _architectures(project: Project) -> list[Architecture]:
    """Return the CPUs that the image is built for."""
    names = project.context["stages"]
    return sorted({project.stage(name).settings.architecture for name in names})
