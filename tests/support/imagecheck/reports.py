"""Reports of any findings, made without an image."""

import json
from typing import Any

from imagecheck.check import Report
from imagecheck.function import Declared, Function
from imagecheck.image.image import Image
from imagecheck.image.manifest import parse_config
from imagecheck.image.reference import parse_reference
from imagecheck.subject import Subject
from tests.support.imagecheck.findings import error, warning

DIGEST = "sha256:" + "0" * 64
ERROR = error("C6", "`/run`: file missing (ENOENT)", "COPY it")
WARNING = warning("H1", "a base by tag " + "and so on " * 10, "pin it")
EVIL = "\x1b[2J\x07\u009b31m\u202e\r\n\t\x7f\N{GRINNING FACE}é"


def report(*findings: Any, name: str = "oci:x", architecture: str = "amd64") -> Report:
    config = {
        "architecture": architecture,
        "config": {"Entrypoint": ["/run"], "Cmd": ["app.handler"]},
    }
    image = Image(
        parse_reference(name),
        compressed_on_push=False,
        digest=DIGEST,
        config=parse_config(json.dumps(config).encode()),
    )
    function = Function("x86_64", declared=Declared("Rooms", {}, ""))
    return Report(Subject(image, function, lambda _, _limit=0: {}), findings)
