"""``python -m release base``"""

from collections.abc import Sequence
from typing import Annotated

import typer

from config.project import Project, project_here
from imagecheck.function import Architecture
from imagecheck.terminal import say, step
from release.base.facts import read_facts
from release.base.newer import find_newer
from release.base.pinned import PinnedBase, read_pinned_bases, write_base
from release.base.report import BasesResult, BaseUpdate, as_markdown, result_of
from release.build.context import SOURCE
from release.commands.options import JsonOption
from release.commands.output import print_result

RESULTS = (BasesResult,)


def base(
    write: Annotated[
        bool, typer.Option("--write", help="Write the newer digest into the Dockerfile.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Look for newer base images, and show what is different in them.

    lambda_src/Dockerfile names a base for each CPU, by tag and digest. The registry tells the tag's
    digest of today; both images are read, without Docker, and compared: versions, configuration,
    layers and files. Where the tag is an index, the image for that CPU decides. The answer is
    Markdown, for a pull request.

    **Examples**

    `python -m release base`

    `python -m release base --write > news.md`

    Exit status 0: there is a newer one, or none; 1: the Dockerfile or the tag cannot be used; 2:
    the registry cannot be read.
    """
    project = project_here()
    bases = read_pinned_bases(project.root / SOURCE / "Dockerfile", _architectures(project))
    updates = [_update(base, architectures, write) for base, architectures in bases.items()]
    result = BasesResult(bases=tuple(map(result_of, updates)))
    print_result("base", result, "\n\n".join(map(as_markdown, updates)), json=json)


def _update(base: PinnedBase, architectures: Sequence[Architecture], write: bool) -> BaseUpdate:
    with step(f"reading the tag of {base.name}"):
        newer = find_newer(base, architectures)
    now = before = None
    if newer.is_newer:
        with step("comparing the images"):
            now = read_facts(base.by(newer.image), newer.architecture)
            if newer.pinned_image:
                before = read_facts(base.by(newer.pinned_image), newer.architecture)
        if write:
            write_base(base, newer.digest)
            say(f"{SOURCE}/Dockerfile names it now")
    return BaseUpdate(base, newer, now, before, written=write and newer.is_newer)


def _architectures(project: Project) -> list[Architecture]:
    """Return the CPUs that the image is built for."""
    names = project.context["stages"]
    return sorted({project.stage(name).settings.architecture for name in names})
