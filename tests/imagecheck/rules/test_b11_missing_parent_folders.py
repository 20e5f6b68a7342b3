"""B11: a file whose folder is in no layer."""

import pytest

from tests.imagecheck.rules.conftest import Finds
from tests.support.imagecheck.cases import HANDLER, PROGRAM, RUN, Case, E, built, python
from tests.support.imagecheck.images import Directory, File, Opaque, Symlink, layer_of

APP = File("var/task/app.py", "import zippy\n" + HANDLER)
ZIPPY = File("var/task/zippy/__init__.py", "")


CASES = (
    Case(
        name="b11-missing-folder",
        make=python(APP, ZIPPY, with_folders=False),
        findings={"B11": E},
        error_type="InvalidImage",
    ),
    # https://github.com/bazel-contrib/tar.bzl/issues/76
    Case(
        name="b11-folder-after-its-file",
        make=python(APP, ZIPPY, Directory("var/task/zippy"), with_folders=False),
        findings={"B11": E},
        error_type="InvalidImage",
    ),
    Case(
        name="b11-good-folder-in-the-layer",
        make=python(APP, Directory("var/task/zippy"), ZIPPY, with_folders=False),
        is_started=True,
    ),
    Case(
        name="b11-good-folder-in-a-layer-below",
        make=built(
            lambda: [
                layer_of(RUN, Directory("app/rooms")),
                layer_of(File("app/rooms/main", PROGRAM), parents=False),
                layer_of(Opaque("app/rooms"), File("app/rooms/one", PROGRAM), parents=False),
            ]
        ),
    ),
    Case(
        name="b11-good-folder-behind-a-link",
        make=built(
            lambda: [
                layer_of(RUN, Directory("usr/lib"), Symlink("lib", "usr/lib")),
                layer_of(File("lib/one.so", PROGRAM), parents=False),
            ]
        ),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_b11(case: Case, finds: Finds) -> None:
    finds(case)
