"""A layer has a file whose folder is in no layer."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from imagecheck.rule import INVALID_IMAGE, STATE, Problem, Rule

if TYPE_CHECKING:
    from imagecheck.subject import Subject


def check(subject: "Subject") -> Iterator[Problem]:
    """Report the first file that Lambda would not unpack; it names no more than one either."""
    orphan = subject.files.orphan if subject.files else None
    if orphan:
        yield Problem(
            f"layer {orphan.layer + 1} has {orphan.path}, but no folder {orphan.folder}: neither"
            " before that file nor in a layer below (MissingParentDirectory)"
        )


RULE = Rule(
    id="B11",
    title="A file whose folder is in no layer",
    severity="error",
    error_type=INVALID_IMAGE,
    when=STATE,
    why=(
        "Lambda unpacks the layers one after the other and creates no folder itself: each"
        " folder has to be in the archive before the files in it, or in a layer below. Docker"
        " and Podman create missing folders, so the image runs everywhere else. Layers that a"
        " program or a build rule writes file by file can lack folders; those of `docker build`"
        " never do."
    ),
    fix=(
        "Write an entry for each folder before its files: sort the archive by name and let it list"
        " folders too."
    ),
    source="https://github.com/aspect-build/rules_aws/issues/103",
    bad="""\
$ tar --list --file layer.tar
var/task/app.py
var/task/rooms/main.py
""",
    good="""\
$ tar --list --file layer.tar
var/
var/task/
var/task/app.py
var/task/rooms/
var/task/rooms/main.py
""",
    check=check,
)
