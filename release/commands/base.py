"""``python -m release base``"""

from typing import Annotated

import typer

from imagecheck.terminal import print_answer, say, step
from release.base.facts import read_facts
from release.base.newer import find_newer
from release.base.pinned import read_pinned_base, write_base
from release.base.report import Answer, as_json, as_markdown
from release.build.context import SOURCE
from release.project import Project, project_here
from stacks.settings import Architecture


def base(
    write: Annotated[
        bool, typer.Option("--write", help="Put the newer digest into the Dockerfile.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Ask whether there is a newer base image, and say what is another in it.

    lambda_src/Dockerfile names the base by tag and digest. The registry says what the tag stands
    for now; both images are read, without Docker, and compared: versions, configuration, layers and
    files. Where the tag is an index, the image for the function's CPU decides. The answer is
    Markdown, for a pull request.

    **Examples**

    `python -m release base`

    `python -m release base --write > news.md`

    Exit status 0: there is a newer one, or none; 1: the Dockerfile or the tag will not do; 2: it
    could not be found out.
    """
    project = project_here()
    pinned = read_pinned_base(project.root / SOURCE / "Dockerfile")
    with step(f"asking {pinned.host}"):
        newer = find_newer(pinned, _architectures(project))
    now = before = None
    if newer.is_newer:
        with step("reading what is another in it"):
            now = read_facts(pinned.by(newer.image), newer.architecture)
            if newer.pinned_image:
                before = read_facts(pinned.by(newer.pinned_image), newer.architecture)
        if write:
            write_base(pinned, newer.digest)
            say(f"{SOURCE}/Dockerfile names it now")
    answer = Answer(pinned, newer, now, before, written=write and newer.is_newer)
    print_answer(as_json(answer) if json else as_markdown(answer))


def _architectures(project: Project) -> list[Architecture]:
    """Return the CPUs that the image is built for."""
    names = project.context["stages"]
    return sorted({project.stage(name).settings.architecture for name in names})
