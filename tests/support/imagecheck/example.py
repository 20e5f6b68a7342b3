"""The image of the documents' example: AWS's layout for Node, built for one CPU or the other."""

from pathlib import Path

from tests.support.imagecheck.images import Directory, File, Image, layer_of, write_image
from tests.support.imagecheck.programs import ARCHITECTURES, ENTRYPOINT, tiny_elf
from tests.support.imagecheck.tools import skopeo_copy

_UUID = "var/task/node_modules/uuid"

HANDLER = File(
    "var/task/index.js",
    "const { v4 } = require('uuid');\nexports.handler = async () => v4();\n",
)
PACKAGE = (File(f"{_UUID}/package.json", '{"main": "index.js"}'), File(f"{_UUID}/index.js", ""))
COMMAND = "lambda-image-check docker-archive:image.tar --architecture x86_64"


def write_archive(folder: Path, name: str, machine: int, *members: File) -> None:
    """Write ``NAME.tar`` into a folder, as `docker save` writes it."""
    program = tiny_elf(machine=machine)
    base = layer_of(
        File("lambda-entrypoint.sh", ENTRYPOINT, 0o755),
        File("bin/sh", program, 0o755),
        File("var/lang/bin/node", program, 0o755),
        File("var/runtime/bootstrap", "#!/bin/sh\nexec /var/lang/bin/node\n", 0o755),
        Directory("var/task"),
    )
    image: Image = write_image(
        folder / f"{name}-layout",
        [base, layer_of(*members)],
        entrypoint=["/lambda-entrypoint.sh"],
        cmd=["index.handler"],
        workdir="/var/task",
        architecture=ARCHITECTURES[machine],
    )
    skopeo_copy(image.reference, f"docker-archive:{folder / name}.tar:my-image:latest")
