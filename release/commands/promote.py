"""``python -m release promote``"""

from typing import Annotated

import msgspec
import typer

from imagecheck.image.layer_cache import LayerCache, default_folder
from imagecheck.terminal import print_answer
from release.commands.pin import as_text
from release.project import project_here
from release.repository.promote import Promoted, promote_image


def promote(
    source: Annotated[
        str, typer.Argument(metavar="FROM", help="The stage that has it.", show_default=False)
    ],
    target: Annotated[
        str, typer.Argument(metavar="TO", help="The stage that gets it.", show_default=False)
    ],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Let a stage run what another one runs: the same bytes, not another build.

    The image that FROM is pinned to is copied to the repository of TO, checked there as it arrived,
    and pinned for TO in image-lock.json. Nothing is deployed. Both repositories are asked with the
    AWS credentials that boto3 finds.

    Refused is what is not pinned and committed, is for another CPU than TO has, or does not pass
    the check.

    **Example**

    `python -m release promote dev prd`

    Exit status 0: pinned for TO; 1: refused; 2: it could not be done. The lock file is changed only
    when the image is there.
    """
    project = project_here()
    beginning, end = project.stage(source), project.stage(target)
    promoted = promote_image(project, beginning, end, cache=LayerCache(default_folder()))
    if json:
        print_answer(_as_json(source, target, promoted))
    else:
        print_answer(as_text(target, promoted.pin, project.lock.name))


def _as_json(source: str, target: str, promoted: Promoted) -> str:
    fields = {
        "from": source,
        "stage": target,
        "repository": promoted.repository,
        "pin": promoted.pin,
        "wasThere": promoted.pushed.was_there,
        "sentBytes": promoted.pushed.sent_bytes,
    }
    return msgspec.json.format(msgspec.json.encode(fields), indent=2).decode()
