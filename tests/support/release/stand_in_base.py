"""A base image that stands in for AWS's for Python, which cannot be pulled where tests run.

It is laid out like AWS's: the interpreter under /var/lang, with boto3, AWS's runtime client under
/var/runtime, and ``/lambda-entrypoint.sh``. Its Python is the one that runs the tests, and so is
its CPU, unless another one is asked for.
"""

import functools
import importlib.util
import marshal
import re
import tempfile
from collections.abc import Sequence
from importlib.metadata import files
from pathlib import Path

from tests.support.imagecheck.images import File, Layer, Member, layer_of, write_image
from tests.support.imagecheck.programs import (
    ARCHITECTURES,
    HOST_MACHINE,
    aws_like_base,
    of_other_cpu,
)
from tests.support.imagecheck.python_runtime import (
    BOOTSTRAP,
    BOOTSTRAP_PY,
    PYTHON,
    SITE_PACKAGES,
    python_runtime,
)
from tests.support.imagecheck.tools import skopeo_copy

PYTHON_VERSION = PYTHON.removeprefix("python")
"""To be given as a build argument: the project's own is that of AWS's base."""
REPOSITORY = "base"
_ENVIRONMENT = {
    "LANG": "en_US.UTF-8",
    "TZ": ":/etc/localtime",
    "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin/:/bin:/opt/bin",
    "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
}
_AWS_SDK = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")
# The descriptions of all services have 25 MB; ours asks one.
_SDK_LEFT_OUT = re.compile(r"(?:boto3|botocore)/data/(?!dynamodb/)[^/]+/.*|.*__pycache__.*|\.\./.*")


def push_base(
    host: str,
    *,
    machine: int = HOST_MACHINE,
    config_architecture: str | None = None,
    more: Sequence[Member] = (),
) -> str:
    """Push the base to a registry (HOST:PORT) and return its name by digest, as for FROM.

    ``more`` is in another layer on top of it. ``machine`` is the ``e_machine`` of its programs. Its
    configuration names their CPU, or, to lie, ``config_architecture`` (``amd64``, ``arm64``).
    """
    architecture = config_architecture or ARCHITECTURES[machine]
    with tempfile.TemporaryDirectory(prefix="base-") as folder:
        image = write_image(
            Path(folder),
            [_layer(machine), *([layer_of(*more)] if more else [])],
            architecture=architecture,
            entrypoint=["/lambda-entrypoint.sh"],
            env=_ENVIRONMENT,
        )
        name = f"{host}/{REPOSITORY}"
        skopeo_copy(image.reference, f"docker://{name}:{machine}-{architecture}")
    return f"{name}@{image.digest}"


@functools.cache
def _layer(machine: int) -> Layer:
    bootstrap = File("var/runtime/bootstrap.py", BOOTSTRAP_PY)
    members: list[Member] = [*aws_like_base(BOOTSTRAP), bootstrap, *python_runtime(), *_aws_sdk()]
    sources = [m for m in members if isinstance(m, File) and m.path.endswith(".py")]
    members += [_compiled(source) for source in sources]
    if machine != HOST_MACHINE:
        members = [_for_other_cpu(member) for member in members]
    return layer_of(*members)


def _aws_sdk() -> list[File]:
    found = []
    for package in _AWS_SDK:
        for file in files(package) or []:
            if not _SDK_LEFT_OUT.fullmatch(str(file)):
                content = Path(str(file.locate())).read_bytes()
                found.append(File(f"{SITE_PACKAGES}/{file}", content))
    return found


def _compiled(source: File) -> File:
    """Compile for good: the root is read-only, and no time of a file is kept in a layer.

    https://peps.python.org/pep-0552/
    """
    content = source.content.encode() if isinstance(source.content, str) else source.content
    flags = (1).to_bytes(4, "little")
    code = marshal.dumps(compile(content, f"/{source.path}", "exec", dont_inherit=True))
    path = importlib.util.cache_from_source(source.path)
    header = importlib.util.MAGIC_NUMBER + flags + importlib.util.source_hash(content)
    return File(path, header + code)


def _for_other_cpu(member: Member) -> Member:
    if isinstance(member, File) and member.content[:4] == b"\x7fELF":
        assert isinstance(member.content, bytes)
        return File(member.path, of_other_cpu(member.content), member.mode)
    return member
