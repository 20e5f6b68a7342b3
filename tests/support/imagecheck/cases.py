"""Cases: small images, each broken in one way or good on purpose, and what check must say.

Each test of a rule has its own in ``CASES``; ``corpus.py`` has all of them. Programs are of this
machine's CPU, so that what is good here can be started here.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from imagecheck.check import Report, check_image, judge
from imagecheck.function import Architecture, Function
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.manifest import DOCKER_LIST, digest_of
from imagecheck.image.reference import parse_reference
from imagecheck.rule import Severity
from imagecheck.subject import Repository
from imagecheck.template import read_function
from tests.support.imagecheck.images import (
    File,
    Image,
    Layer,
    Member,
    layer_of,
    only_image,
    write_attestation,
    write_image,
    write_index,
)
from tests.support.imagecheck.programs import HOST, OTHER, OTHER_MACHINE, aws_like_base, tiny_elf
from tests.support.imagecheck.python_runtime import python_base, python_runtime

_LAMBDA: Final[dict[str, Architecture]] = {"amd64": "x86_64", "arm64": "arm64"}


HOST_CPU, OTHER_CPU = _LAMBDA[HOST], _LAMBDA[OTHER]


HOST_CPU, OTHER_CPU = _LAMBDA[HOST], _LAMBDA[OTHER]


ON_HOST = Function(HOST_CPU)


E: Final[Severity] = "error"


W: Final[Severity] = "warning"


REPOSITORY_URI = "123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/rooms"


LOGICAL_ID = "RoomsFunction"


PINNED = f"FROM public.ecr.aws/lambda/python:3.12@sha256:{'1' * 64}\n"


Make = Callable[[Path], Image]


@dataclass(frozen=True)
class Written:
    """A case on disk."""

    image: Image
    function: Function
    base: Image | None
    template: Path | None
    dockerfile: Path | None


@dataclass(frozen=True, kw_only=True)
class Case:
    """An image, the function that it is for, and what is to be found."""

    name: str
    make: Make
    """Writes the image as the only one of an OCI layout in the folder that it is given."""
    findings: Mapping[str, Severity] = field(default_factory=dict)
    error_type: str = ""
    """What Lambda shows, of the first of the errors; empty where nothing is shown."""
    function: Function = ON_HOST
    properties: Mapping[str, Any] | None = None
    """The function comes from a template, with these beside Code, PackageType, Architectures."""
    image_uri: str = f"{REPOSITORY_URI}@{{digest}}"
    """What that template names; ``{digest}`` is the image's."""
    base: Make | None = None
    dockerfile: str = ""
    repository: Repository | None = None
    """What ECR would say."""
    is_started: bool = False
    """Whether the point of it is the start, so that a test really starts it."""
    extension: str = ""
    """What is started in place of the entrypoint: Lambda starts extensions by themselves."""

    @property
    def is_good(self) -> bool:
        """Whether nothing at all is wrong with it."""
        return not self.findings

    def write(self, folder: Path) -> Written:
        """Write the image to ``folder/image``, and beside it whatever else the case has."""
        image = self.make(folder / "image")
        template = self._write_template(folder, image) if self.properties is not None else None
        dockerfile = folder / "Dockerfile" if self.dockerfile else None
        if dockerfile:
            dockerfile.write_text(self.dockerfile)
        return Written(
            image=image,
            function=read_function(template) if template else self.function,
            base=self.base(folder / "base") if self.base else None,
            template=template,
            dockerfile=dockerfile,
        )

    def _write_template(self, folder: Path, image: Image) -> Path:
        properties = {
            "PackageType": "Image",
            "Code": {"ImageUri": self.image_uri.format(digest=image.digest)},
            "Role": "arn:aws:iam::123456789012:role/rooms",
            "Architectures": [self.function.architecture],
            **(self.properties or {}),
        }
        properties = {name: value for name, value in properties.items() if value is not None}
        resource = {"Type": "AWS::Lambda::Function", "Properties": properties}
        path = folder / "stack.template.json"
        path.write_text(json.dumps({"Resources": {LOGICAL_ID: resource}}))
        return path


class Silent:
    """Shows nothing of the progress."""

    def begin(self, total: int) -> None:
        """Nothing to show."""

    def advance(self, count: int) -> None:
        """Nothing to show."""


def check_case(case: Case, written: Written, cache: LayerCache) -> Report:
    """Check the image as ``python -m release check`` does."""
    report = check_image(
        parse_reference(written.image.reference),
        written.function,
        cache=cache,
        progress=Silent(),
        base=parse_reference(written.base.reference) if written.base else None,
        dockerfile=written.dockerfile,
    )
    if case.repository is None:
        return report
    return judge(replace(report.subject, repository=case.repository))


def findings_of(report: Report) -> dict[str, Severity]:
    """Return the rules that a report names, each with its worst severity."""
    found: dict[str, Severity] = {}
    for finding in report.findings:
        found.setdefault(finding.rule, finding.severity)
    return found


PROGRAM = tiny_elf()


FOREIGN = tiny_elf(machine=OTHER_MACHINE)


LINKED = tiny_elf(interpreter="/lib/ld.so")


SCRIPT = "#!/bin/sh\nexit 0\n"


HANDLER = "import json\n\n\ndef handler(event, context):\n    return json.dumps(event)\n"


NODE_HANDLER = "exports.handler = async (event) => event;\n"


AWS_ENTRYPOINT = ("/lambda-entrypoint.sh",)


WRAPPING_RUNTIME = """#!/bin/sh
# As the bootstrap of AWS's base images does it.
wrapper="$AWS_LAMBDA_EXEC_WRAPPER"
if [ ! -f "$wrapper" ]; then echo "$wrapper: does not exist"; exit 127; fi
if [ ! -x "$wrapper" ]; then echo "$wrapper: is not an executable"; exit 126; fi
exec "$wrapper" /bin/busybox wget -q -O - \\
  "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next"
"""


def scratch(*members: Member, **settings: Any) -> Make:
    """Make an image of these files and no other; it starts /run in /."""
    settings = {"entrypoint": ["/run"], "workdir": "/", "architecture": HOST} | settings
    return lambda folder: write_image(folder, [layer_of(*members)], **settings)


def stacked(*layers: Sequence[Member], **settings: Any) -> Make:
    """Make an image of several layers that way, the lowest first."""
    settings = {"entrypoint": ["/run"], "workdir": "/", "architecture": HOST} | settings
    return lambda folder: write_image(
        folder, [layer_of(*members) for members in layers], **settings
    )


def shell(*members: Member, **settings: Any) -> Make:
    """Make an image like AWS's, with a runtime that takes any handler.

    ``with_folders=False`` leaves the folders of the members out; so for ``python`` and ``node``.
    """
    return _on(shell_base, members, settings)


def python(*members: Member, handler: str = "app.handler", **settings: Any) -> Make:
    """Make an image like AWS's for Python: a real one, with AWS's runtime client."""
    settings = {"cmd": [handler], "env": {"LD_LIBRARY_PATH": "/var/lang/lib"}} | settings
    return _on(python_base, members, settings)


def node(*members: Member, handler: str = "index.handler", **settings: Any) -> Make:
    """Make an image like AWS's for Node, as far as it is read: its node does nothing."""
    return _on(node_base, members, {"cmd": [handler]} | settings)


@cache
def shell_base() -> Layer:
    """Return the layer of ``shell``."""
    return layer_of(*aws_like_base(), APP)


@cache
def node_base() -> Layer:
    """Return the layer of ``node``."""
    return layer_of(*aws_like_base(), File("var/lang/bin/node", PROGRAM, 0o755))


def _on(base: Callable[[], Layer], members: Sequence[Member], settings: Mapping[str, Any]) -> Make:
    with_folders = settings.get("with_folders", True)
    settings = {
        "entrypoint": AWS_ENTRYPOINT,
        "cmd": ["app.handler"],
        "workdir": "/var/task",
        "architecture": HOST,
        **{name: value for name, value in settings.items() if name != "with_folders"},
    }

    def make(folder: Path) -> Image:
        layers = [base(), *([layer_of(*members, parents=with_folders)] if members else [])]
        return write_image(folder, layers, **settings)

    return make


def built(layers: Callable[[], Iterable[Layer]], **settings: Any) -> Make:
    """Make an image of any layers; it starts /run."""
    settings = {"entrypoint": ["/run"], "workdir": "/", "architecture": HOST} | settings
    return lambda folder: write_image(folder, list(layers()), **settings)


def then(make: Make, damage: Callable[[Image], object]) -> Make:
    """Make an image, and do something to it on disk."""

    def make_and_damage(folder: Path) -> Image:
        image = make(folder)
        damage(image)
        return image

    return make_and_damage


def run(content: bytes | str, mode: int = 0o755) -> File:
    """Return what ``scratch`` starts."""
    return File("run", content, mode)


RUN = run(PROGRAM)


APP = File("var/task/app.py", HANDLER)


@cache
def python_elsewhere() -> Layer:
    """Return Python as other base images have it: nothing of AWS but its client."""
    members = [
        replace(member, path=member.path.replace("var/lang", "usr/local", 1))
        for member in python_runtime()
        if isinstance(member, File)
    ]
    return layer_of(*members, File("app/main.py", HANDLER))


def rewritten(image: Image, manifest: Mapping[str, Any] | bytes) -> Image:
    """Put another manifest in the place of an image's, under its own digest."""
    content = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    digest = digest_of(content)
    image.blob(digest).write_bytes(content)
    index = json.loads((image.folder / "index.json").read_bytes())
    index["manifests"][0] |= {"digest": digest, "size": len(content)}
    if not isinstance(manifest, bytes):
        index["manifests"][0]["mediaType"] = manifest["mediaType"]
    (image.folder / "index.json").write_text(json.dumps(index))
    return only_image(image.folder)


INVALID_PARAMETER = "InvalidParameterValueException"


DENIES = {
    "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "ecr:*"},
        {"Effect": "Deny", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "ecr:B*"},
    ]
}


def index_image(*, attested: bool = False, other: bool = True, docker: bool = False) -> Make:
    def make(folder: Path) -> Image:
        images = [scratch(RUN)(folder)]
        images += [scratch(run(FOREIGN), architecture=OTHER)(folder)] if other else []
        images += [write_attestation(images[0])] if attested else []
        return write_index(folder, *images, **({"media_type": DOCKER_LIST} if docker else {}))

    return make


def damaged_layer(**changes: Any) -> Make:
    return built(lambda: [replace(layer_of(RUN), **changes)])


def first_layer(image: Image) -> Path:
    manifest = json.loads(image.blob(image.digest).read_bytes())
    return image.blob(manifest["layers"][0]["digest"])


INVALID_ENTRYPOINT = "Runtime.InvalidEntrypoint"


EXIT_ERROR = "Runtime.ExitError"


def bad_start(
    name: str, rule: str, make: Make, *, error_type: str = INVALID_ENTRYPOINT, **more: Any
) -> Case:
    return Case(
        name=name, make=make, findings={rule: E}, error_type=error_type, is_started=True, **more
    )


def runtime_file(ending: str) -> File:
    files = [member for member in python_runtime() if isinstance(member, File)]
    (found,) = (file for file in files if file.path.endswith(ending))
    return found


IMPORT_ERROR = "Runtime.ImportModuleError"


def bad_handler(name: str, rule: str, error_type: str, handler: str, *members: Member) -> Case:
    return bad_start(name, rule, python(*members, handler=handler), error_type=error_type)


def app(text: str | bytes, *members: Member) -> tuple[Member, ...]:
    return (File("var/task/app.py", text), *members)


LAUNCH_ERROR = "Extension.LaunchError"


EXTENSION = "/opt/extensions/telemetry"


def extension(name: str, rule: str, *members: Member) -> Case:
    return bad_start(
        name, rule, scratch(RUN, *members), error_type=LAUNCH_ERROR, extension=EXTENSION
    )
