"""The differences between an image that works and one that fails, the likeliest cause first."""

from pathlib import Path
from typing import Any

import pytest

from imagecheck.check import Report, check_image
from imagecheck.comparison import compare
from imagecheck.function import Architecture, Function
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.reference import parse_reference
from tests.support.imagecheck import programs
from tests.support.imagecheck.images import (
    Directory,
    File,
    HardLink,
    Image,
    Layer,
    Member,
    Symlink,
    Whiteout,
    layer_of,
    write_attestation,
    write_image,
    write_index,
)
from tests.support.imagecheck.programs import (
    AARCH64,
    ARCHITECTURES,
    HOST,
    HOST_MACHINE,
    OTHER,
    OTHER_MACHINE,
    X86_64,
    tiny_elf,
)
from tests.support.imagecheck.reading import NoProgress

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
    assert "files changed: /bin/sh (x86_64 → aarch64)" in differences
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
        "only the failing image has C7",
        "the function's code and packages",
        "what is started",
        "environment",
        "files changed",
        "files new",
        "layers 2 → 2",
    ]
    assert "the function's code and packages: gone: /var/task/app.py" in differences
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
        "what is started: was `/lambda-entrypoint.sh` → `/bin/sh`; is `/other.sh` → `/bin/sh`",
    ):
        assert said in differences


def test_an_index_in_place_of_the_image(tmp_path: Path) -> None:
    old = image_in(tmp_path / "old")
    new = write_index(
        tmp_path / "new", image_in(tmp_path / "new"), write_attestation(image_in(tmp_path / "new"))
    )

    differences = compared(new, old)

    assert differences[0].startswith("only the failing image has B2")
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
    assert differences[0].startswith("only the failing image has B9")


def test_two_that_fail_alike(tmp_path: Path) -> None:
    """Then the one that was asked for is taken for the failing one, and only its own is news."""
    cut = layer_of(Whiteout("bin/sh"))
    old = image_in(tmp_path / "old", base(), cut)
    new = image_in(tmp_path / "new", base(), cut, layer_of(File("a")))

    differences = compared(new, old)

    assert not any(difference.startswith("only the failing") for difference in differences)
    assert "files new: /a" in differences


# --- pairs of a Node image: what was changed, and what the first line has to name ---------------

HANDLERS = "var/task/dist/handlers/rest"
NODE_HANDLER = "const uuid = require('uuid');\nexports.handler = async () => uuid.v4();\n"
UUID = (
    File("var/task/node_modules/uuid/package.json", '{"name": "uuid", "main": "index.js"}'),
    File("var/task/node_modules/uuid/index.js", "exports.v4 = () => '';\n"),
)
PACKAGE = File("var/task/package.json", '{"name": "rooms"}')
CLIENT = File("var/runtime/node_modules/aws-lambda-ric/package.json", '{"version": "4.0.2"}')


def node_image(folder: Path, *members: Member, machine: int = HOST_MACHINE, **more: Any) -> Image:
    """An image like AWS's for Node, whose handler lies in a folder of its own."""
    base = layer_of(
        File("lambda-entrypoint.sh", programs.ENTRYPOINT, 0o755),
        File("bin/sh", tiny_elf(machine=machine), 0o755),
        File("var/runtime/bootstrap", "#!/bin/sh\n", 0o755),
        File("var/lang/bin/node", tiny_elf(machine=machine), 0o755),
        CLIENT,
    )
    settings: dict[str, Any] = {
        "entrypoint": ["/lambda-entrypoint.sh"],
        "cmd": ["dist/handlers/rest/rooms.handler"],
        "workdir": "/var/task",
        "architecture": ARCHITECTURES[machine],
    }
    return write_image(folder, [base, layer_of(*members)], **{**settings, **more})


def first_difference(old: Image, new: Image) -> str:
    cpu: Architecture = {"amd64": "x86_64", "arm64": "arm64"}[HOST]  # type: ignore[assignment]
    return compared(new, old, cpu)[0]


GOOD = (File(f"{HANDLERS}/rooms.js", NODE_HANDLER), *UUID, PACKAGE)


def test_a_node_image_of_another_cpu(tmp_path: Path) -> None:
    old = node_image(tmp_path / "old", *GOOD)
    new = node_image(tmp_path / "new", *GOOD, machine=OTHER_MACHINE)

    assert first_difference(old, new).startswith(f"architecture {HOST} → {OTHER}: ")


def test_a_node_package_that_was_forgotten(tmp_path: Path) -> None:
    new = node_image(tmp_path / "new", *(one for one in GOOD if one not in UUID))

    first = first_difference(node_image(tmp_path / "old", *GOOD), new)

    assert first.startswith("only the failing image has E2, Runtime.ImportModuleError: ")
    assert "uuid" in first


def test_a_node_handler_that_is_compiled_to_another_folder(tmp_path: Path) -> None:
    moved = File("var/task/dist/src/handlers/rest/rooms.js", NODE_HANDLER)
    new = node_image(tmp_path / "new", moved, *GOOD[1:])

    first = first_difference(node_image(tmp_path / "old", *GOOD), new)

    assert first.startswith("only the failing image has E2, Runtime.ImportModuleError: ")


def test_a_node_package_that_became_an_es_module(tmp_path: Path) -> None:
    typed = File("var/task/package.json", '{"name": "rooms", "type": "module"}')
    new = node_image(tmp_path / "new", *GOOD[:-1], typed)

    first = first_difference(node_image(tmp_path / "old", *GOOD), new)

    assert first.startswith("only the failing image has E"), first


def test_a_base_without_the_runtime_client(tmp_path: Path) -> None:
    """FROM was changed to the official image of Node, whose entrypoint runs what CMD names."""
    base = layer_of(
        File("usr/local/bin/docker-entrypoint.sh", '#!/bin/sh\nexec "$@"\n', 0o755),
        File("bin/sh", tiny_elf(), 0o755),
        File("usr/local/bin/node", tiny_elf(), 0o755),
    )
    new = write_image(
        tmp_path / "new",
        [base, layer_of(*GOOD)],
        entrypoint=["docker-entrypoint.sh"],
        cmd=["dist/handlers/rest/rooms.handler"],
        workdir="/var/task",
        architecture=HOST,
    )

    first = first_difference(node_image(tmp_path / "old", *GOOD), new)

    assert first.startswith("only "), first
    assert "layers" not in first


def test_folders_stand_for_what_is_below_them(tmp_path: Path) -> None:
    old = node_image(tmp_path / "old", *GOOD, File("srv/a/b"), File("srv/a/c"))
    new = node_image(tmp_path / "new", *GOOD)

    assert "files gone: /srv/ (with 3 below it)" in compared(new, old, "x86_64")


def test_a_warning_of_the_failing_one_comes_before_what_only_differs(tmp_path: Path) -> None:
    old = node_image(tmp_path / "old", *GOOD)
    new = node_image(tmp_path / "new", *GOOD[:-1], env={"HF_HOME": "/models"})

    first = first_difference(old, new)

    assert first.startswith("only the failing image has the warning D6: ")
