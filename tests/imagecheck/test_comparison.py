"""What differs between an image that works and one that fails, what explains most first."""

from pathlib import Path
from typing import Any

import pytest

from imagecheck.check import Report, check_image
from imagecheck.comparison import compare
from imagecheck.function import Architecture, Function
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.reference import parse_reference
from tests.imagecheck.images import (
    Directory,
    File,
    HardLink,
    Image,
    Layer,
    Symlink,
    Whiteout,
    layer_of,
    write_attestation,
    write_image,
    write_index,
)
from tests.imagecheck.programs import AARCH64, X86_64, tiny_elf
from tests.imagecheck.reading import NoProgress

ENTRYPOINT = "#!/bin/sh\nexec /var/runtime/bootstrap\n"


def base(machine: int = X86_64, *more: Any) -> Layer:
    return layer_of(
        File("lambda-entrypoint.sh", ENTRYPOINT, 0o755),
        File("bin/sh", tiny_elf(machine=machine), 0o755),
        File("var/runtime/bootstrap", "#!/bin/sh\n", 0o755),
        Directory("var/task"),
        *more,
    )


def image_in(folder: Path, *layers: Layer, **options: Any) -> Image:
    options = {
        "entrypoint": ["/lambda-entrypoint.sh"],
        "cmd": ["app.handler"],
        "architecture": "amd64",
        **options,
    }
    return write_image(folder, layers or [base()], **options)


def checked(image: Image, architecture: Architecture = "x86_64") -> Report:
    return check_image(
        parse_reference(image.reference),
        Function(architecture),
        cache=LayerCache(None),
        progress=NoProgress(),
    )


def compared(new: Image, old: Image, architecture: Architecture = "x86_64") -> tuple[str, ...]:
    return compare(checked(new, architecture), checked(old, architecture))


def test_the_incident(tmp_path: Path) -> None:
    old = image_in(tmp_path / "old")
    new = image_in(tmp_path / "new", base(AARCH64), architecture="arm64")

    assert compared(new, old)[0] == (
        "architecture amd64 → arm64: `/lambda-entrypoint.sh` → `/bin/sh` is aarch64 and cannot be"
        " executed on an x86_64 function"
    )
    # Whichever way round it is asked, what fails is explained.
    assert compared(old, new) == compared(new, old)
    assert compared(old, new, "arm64")[0] == (
        "architecture arm64 → amd64: `/lambda-entrypoint.sh` → `/bin/sh` is x86_64 and cannot be"
        " executed on an arm64 function"
    )


def test_the_incident_by_files_alone(tmp_path: Path) -> None:
    new = image_in(tmp_path / "new", base(AARCH64))

    differences = compared(new, image_in(tmp_path / "old"))

    assert differences[0] == (
        "programs x86_64 → aarch64, though both images say amd64: `/lambda-entrypoint.sh` →"
        " `/bin/sh` is aarch64 and cannot be executed on an x86_64 function"
    )
    assert differences[-1] == "files changed: /bin/sh (x86_64 → aarch64)"
    # The cause is named once.
    assert sum("cannot be executed" in difference for difference in differences) == 1


def test_the_same_image(tmp_path: Path) -> None:
    image = image_in(tmp_path)

    assert compared(image, image) == ()


def test_what_explains_a_failure_comes_before_what_only_differs(tmp_path: Path) -> None:
    old = image_in(tmp_path / "old", base(), layer_of(File("var/task/app.py", "x")))
    new = image_in(
        tmp_path / "new",
        base(X86_64, File("new", "y")),
        layer_of(File("lambda-entrypoint.sh", ENTRYPOINT, 0o644)),
        env={"TOKEN": "hunter2", "A": "1"},
    )

    differences = compared(new, old)

    assert [difference.split(":")[0].split(",")[0] for difference in differences] == [
        "only the failing one has C7",
        "what is started",
        "environment",
        "layers 2 → 2",
        "files gone",
        "files new",
        "files changed",
    ]
    assert "environment: A, TOKEN differ(s)" in differences
    assert "hunter2" not in " ".join(differences)


def test_how_it_is_started(tmp_path: Path) -> None:
    other = layer_of(File("other.sh", ENTRYPOINT, 0o755))
    old = image_in(tmp_path / "old", base(), other)
    new = image_in(
        tmp_path / "new", base(), other,
        entrypoint=["/other.sh"], cmd=["app.other", "x"], workdir="/tmp",
    )  # fmt: skip

    differences = compared(new, old)

    for said in (
        "ENTRYPOINT ['/lambda-entrypoint.sh'] → ['/other.sh']",
        "CMD ['app.handler'] → ['app.other', 'x']",
        "working directory /var/task → /tmp",
        "what is started: `/lambda-entrypoint.sh` → `/bin/sh` → (now) `/other.sh` → `/bin/sh`",
    ):
        assert said in differences


def test_an_index_in_place_of_the_image(tmp_path: Path) -> None:
    old = image_in(tmp_path / "old")
    new = write_index(
        tmp_path / "new", image_in(tmp_path / "new"), write_attestation(image_in(tmp_path / "new"))
    )

    differences = compared(new, old)

    assert differences[0].startswith("only the failing one has B2")
    assert differences[1] == (
        "manifest application/vnd.oci.image.manifest.v1+json →"
        " application/vnd.oci.image.index.v1+json"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ([base()], [base(), layer_of(File("a"))], "layers 1 → 2: the first is the same"),
        ([base()], [base(X86_64, File("a"))], "layers 1 → 1: not even the first is the same"),
        ([base(), layer_of(File("a"))], [base()], "files gone: /a"),
        ([base()], [base(), layer_of(Whiteout("bin/sh"))], "files gone: /bin/sh"),
        (
            [base()],
            [base(), layer_of(File("lambda-entrypoint.sh", ENTRYPOINT, 0o700))],
            "files changed: /lambda-entrypoint.sh (mode 0755 → 0700)",
        ),
        (
            [base()],
            [base(), layer_of(File("lambda-entrypoint.sh", ENTRYPOINT + "\n", 0o755))],
            "files changed: /lambda-entrypoint.sh (38 → 39 bytes)",
        ),
        (
            [base()],
            [base(), layer_of(File("lambda-entrypoint.sh", ENTRYPOINT.swapcase(), 0o755))],
            "files changed: /lambda-entrypoint.sh (first bytes)",
        ),
        (
            [base(X86_64, Symlink("l", "bin/sh"))],
            [base(X86_64, Symlink("l", "/bin/sh"))],
            "files changed: /l (to bin/sh → /bin/sh)",
        ),
        (
            [base(X86_64, Symlink("l", "bin/sh"))],
            [base(X86_64, HardLink("l", "bin/sh"))],
            "files changed: /l (symlink → file)",
        ),
        (
            [base()],
            [base(), layer_of(*(File(f"n{number:02}") for number in range(12)))],
            "files new: /n00, /n01, /n02, /n03, /n04, /n05, /n06, /n07, /n08, /n09 and 2 more",
        ),
    ],
)
def test_layers_and_files(tmp_path: Path, old: list[Layer], new: list[Layer], said: str) -> None:
    found = compared(image_in(tmp_path / "new", *new), image_in(tmp_path / "old", *old))

    assert said in found


def test_an_image_whose_files_could_not_be_read(tmp_path: Path) -> None:
    old, new = image_in(tmp_path / "old"), image_in(tmp_path / "new")
    new.blob(base().digest).unlink()

    differences = compared(new, old)

    assert len(differences) == 1
    assert differences[0].startswith("only the failing one has B9")


def test_two_that_fail_alike(tmp_path: Path) -> None:
    """Then the one that was asked for is taken for the failing one, and only its own is news."""
    cut = layer_of(Whiteout("bin/sh"))
    old = image_in(tmp_path / "old", base(), cut)
    new = image_in(tmp_path / "new", base(), cut, layer_of(File("a")))

    differences = compared(new, old)

    assert not any(difference.startswith("only the failing") for difference in differences)
    assert "files new: /a" in differences
