"""``python -m release promote``"""

from typing import Annotated

import msgspec
import typer

from config.image_lock import ImagePin
from config.project import project_here
from imagecheck.image.layer_cache import LayerCache, default_folder
from release.commands.options import JsonOption
from release.commands.output import pin_text, print_result
from release.registry.promote import promote_image


class PromoteResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The new pin of ``stage``, whose image was copied from ``from``.

    ``account`` and ``region`` are those of the copy.
    """

    from_: str = msgspec.field(name="from")
    stage: str
    account: str
    region: str
    repository: str
    pin: ImagePin
    was_there: bool
    sent_bytes: int


RESULTS = (PromoteResult,)


def promote(
    source: Annotated[
        str,
        typer.Argument(metavar="FROM", help="The stage that has the image.", show_default=False),
    ],
    target: Annotated[
        str, typer.Argument(metavar="TO", help="The stage that gets it.", show_default=False)
    ],
    json: JsonOption = False,
) -> None:
    """Promote the image of one stage to another: the same bytes, not another build.

    The image that is pinned for FROM is copied to the repository of TO, checked there, and pinned
    for TO in image-lock.json. Nothing is deployed. Both repositories are reached with the AWS
    credentials that boto3 finds.

    An image is refused whose pin is not committed, that is for another CPU than TO has, or that
    does not pass the check.

    **Example**

    `python -m release promote dev prd`

    Exit status 0: pinned for TO; 1: refused; 2: it could not be done. The lock file is changed only
    when the image is in the repository of TO.
    """
    project = project_here()
    beginning, end = project.stage(source), project.stage(target)
    promoted = promote_image(project, beginning, end, cache=LayerCache(default_folder()))
    result = PromoteResult(
        from_=source,
        stage=target,
        account=end.account,
        region=end.region,
        repository=promoted.repository,
        pin=promoted.pin,
        was_there=promoted.pushed.was_there,
        sent_bytes=promoted.pushed.sent_bytes,
    )
    print_result("promote", result, pin_text(target, promoted.pin, project.lock.name), json=json)
