"""The corpus: small images, each broken in one way or good on purpose, and what check must say.

    for case in CASES:
        written = case.write(folder)
        report = check_case(case, written, cache)
        assert findings_of(report) == case.findings

Programs are of this machine's CPU, so that what is good here can be started here.
"""

import json
import random
import tarfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from imagecheck.check import Report, check_image, judge
from imagecheck.function import Architecture, Function
from imagecheck.image.layer_cache import LayerCache
from imagecheck.image.manifest import DOCKER_LIST, DOCKER_MANIFEST, digest_of
from imagecheck.image.reference import parse_reference
from imagecheck.rule import Severity
from imagecheck.subject import Repository
from imagecheck.template import read_function
from tests.imagecheck.images import (
    Directory,
    File,
    HardLink,
    Image,
    Layer,
    Member,
    Opaque,
    Raw,
    Symlink,
    Whiteout,
    layer_from_tar,
    layer_of,
    only_image,
    write_attestation,
    write_image,
    write_index,
)
from tests.imagecheck.programs import (
    AARCH64,
    ENTRYPOINT,
    HOST,
    OTHER,
    OTHER_MACHINE,
    X86_64,
    aws_like_base,
    busybox,
    of_other_cpu,
    tiny_elf,
)
from tests.imagecheck.python_runtime import PYTHON, python_base, python_runtime

_LAMBDA: Final[dict[str, Architecture]] = {"amd64": "x86_64", "arm64": "arm64"}
HOST_CPU, OTHER_CPU = _LAMBDA[HOST], _LAMBDA[OTHER]
"""The CPU of this machine, and one that it is not, in the words of a function."""

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


# What images are made of. Nothing is read or compressed before a case is written.

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
    """Make an image like AWS's, with a runtime that takes any handler."""
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
    settings = {
        "entrypoint": AWS_ENTRYPOINT,
        "cmd": ["app.handler"],
        "workdir": "/var/task",
        "architecture": HOST,
        **settings,
    }

    def make(folder: Path) -> Image:
        layers = [base(), *([layer_of(*members, parents=False)] if members else [])]
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


# Good ones


def _elsewhere() -> Layer:
    """Return Python as other base images have it: nothing of AWS but its client."""
    members = [
        replace(member, path=member.path.replace("var/lang", "usr/local", 1))
        for member in python_runtime()
        if isinstance(member, File)
    ]
    return layer_of(*members, File("app/main.py", HANDLER))


def _two_gzip_streams() -> Layer:
    tar = layer_of(RUN, compression="none").blob
    first, second = layer_from_tar(tar[:700]).blob, layer_from_tar(tar[700:]).blob
    blob = first + second
    return replace(layer_from_tar(tar), blob=blob, digest=digest_of(blob), size=len(blob))


def _pax() -> Layer:
    member = run(PROGRAM).raw()
    member.info.pax_headers = {"SCHILY.xattr.user.note": "値", "comment": "部屋", "mtime": "1.5"}
    return layer_of(member, File("ふるい/名前.txt", "x"), tar_format=tarfile.PAX_FORMAT)


def _dot_slash() -> Layer:
    """Return a layer as `tar -C rootfs -c .` writes it: it begins with the root itself."""
    root = tarfile.TarInfo("./")
    root.type, root.mode = tarfile.DIRTYPE, 0o755
    program = replace(RUN, path="run").raw()
    program.info.name = "./run"
    return layer_of(Raw(root), program, parents=False)


def _docker(
    make: Make, layer_type: str = "application/vnd.docker.image.rootfs.diff.tar.gzip"
) -> Make:
    """Write the manifest as Docker does, not OCI."""

    def make_docker(folder: Path) -> Image:
        manifest = json.loads((oci := make(folder)).blob(oci.digest).read_bytes())
        manifest["mediaType"] = DOCKER_MANIFEST
        manifest["config"]["mediaType"] = "application/vnd.docker.container.image.v1+json"
        for layer in manifest["layers"]:
            layer["mediaType"] = layer_type
        return rewritten(oci, manifest)

    return make_docker


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


_ALL_THREE = {
    "EntryPoint": ["/lambda-entrypoint.sh"],
    "Command": ["app.handler"],
    "WorkingDirectory": "/var/task",
}
_LONG = f"{'folder-of-a-long-name/' * 12}{'x' * 120}"

GOOD = (
    Case(name="good-static-program", make=scratch(RUN), is_started=True),
    Case(name="good-aws-base", make=shell(), is_started=True),
    Case(name="good-python", make=python(APP), is_started=True),
    Case(
        name="good-python-packages",
        make=python(
            File("var/task/rooms/__init__.py", ""),
            File("var/task/rooms/main.py", "from . import store\nfrom .store import handler\n"),
            File(
                "var/task/rooms/store.py", "import orders.lines\nfrom rooms import main\n" + HANDLER
            ),
            Directory("var/task/orders"),
            File("var/task/orders/lines.py", "try:\n    import nothere\nexcept ImportError: ...\n"),
            handler="rooms.main.handler",
        ),
        is_started=True,
    ),
    Case(
        name="good-python-imports-that-only-work-at-run-time",
        make=python(
            File(
                "var/task/app.py",
                "import contextlib\n\nwith contextlib.suppress(ImportError):\n    import nothere\n"
                + HANDLER,
            )
        ),
        is_started=True,
    ),
    Case(
        name="good-python-handler-is-a-module-of-its-package",
        make=python(
            File("var/task/app/__init__.py", "from .handler import handle\n"),
            File("var/task/app/handler.py", "def handle(event, context): ...\n"),
        ),
        is_started=True,
    ),
    Case(
        name="good-python-bound-by-a-function",
        make=python(
            File(
                "var/task/app.py",
                "def bind():\n    global handler\n    handler = print\n\n\nbind()\n",
            )
        ),
        is_started=True,
    ),
    Case(
        name="good-python-in-the-root",
        make=built(
            lambda: [_elsewhere(), layer_of(File("other.py", HANDLER))],
            entrypoint=[f"/usr/local/bin/{PYTHON}", "-m", "awslambdaric"],
            cmd=["other.handler"],
            workdir="/",
            env={"LD_LIBRARY_PATH": "/usr/local/lib"},
        ),
        is_started=True,
    ),
    Case(
        name="good-env-with-options",
        make=shell(
            Symlink("bin/env", "busybox"),
            File("run", "#!/bin/env -S -i A=b /bin/true\n", 0o755),
            entrypoint=["/run"],
        ),
    ),
    Case(
        name="good-python-handler-with-slashes",
        make=python(File("var/task/src/app.py", HANDLER), handler="src/app.handler"),
        is_started=True,
    ),
    Case(
        name="good-other-base-with-awslambdaric",
        make=built(
            lambda: [_elsewhere()],
            entrypoint=[f"/usr/local/bin/{PYTHON}", "-m", "awslambdaric"],
            cmd=["main.handler"],
            workdir="/app",
            env={"LD_LIBRARY_PATH": "/usr/local/lib", "PATH": "/usr/local/bin:/usr/bin:/bin"},
        ),
        is_started=True,
    ),
    Case(name="good-node", make=node(File("var/task/index.js", NODE_HANDLER))),
    Case(
        name="good-node-es-module",
        make=node(
            File("var/task/dist/index.js", "export const handler = async () => ({});\n"),
            File("var/task/package.json", '{"type": "module"}'),
            handler="dist/index.handler",
        ),
    ),
    Case(
        name="good-hard-links",
        make=stacked(
            [File("app/one", PROGRAM, 0o755), HardLink("app/two", "app/one")],
            [HardLink("run", "app/two")],
        ),
        is_started=True,
    ),
    Case(
        name="good-opaque-whiteout",
        make=stacked(
            [RUN, File("opt/extensions/other", FOREIGN, 0o755), File("opt/kept", "")],
            [Opaque("opt/extensions"), File("opt/extensions/fitting", PROGRAM, 0o755)],
        ),
        is_started=True,
    ),
    Case(
        name="good-whiteout",
        make=stacked(
            [run(FOREIGN, 0o600), File("opt/extensions/other", FOREIGN, 0o755)],
            [Whiteout("run"), Whiteout("opt/extensions/other")],
            [RUN],
        ),
        is_started=True,
    ),
    Case(
        name="good-folder-in-place-of-a-file",
        make=stacked(
            [RUN, File("app", "text"), File("data/x", "")],
            [Directory("app"), File("app/it", PROGRAM, 0o755), Symlink("data", "app")],
            entrypoint=["/app/it"],
        ),
        is_started=True,
    ),
    Case(
        name="good-file-in-a-linked-folder",
        make=built(
            lambda: [
                layer_of(Directory("usr/bin"), Symlink("bin", "usr/bin")),
                layer_of(File("bin/it", PROGRAM, 0o755), parents=False),
            ],
            entrypoint=["/usr/bin/it"],
        ),
        is_started=True,
    ),
    Case(
        name="good-long-names-gnu",
        make=built(
            lambda: [layer_of(File(_LONG, PROGRAM, 0o755), tar_format=tarfile.GNU_FORMAT)],
            entrypoint=[f"/{_LONG}"],
        ),
        is_started=True,
    ),
    Case(
        name="good-long-names-pax",
        make=built(
            lambda: [layer_of(File(_LONG, PROGRAM, 0o755), tar_format=tarfile.PAX_FORMAT)],
            entrypoint=[f"/{_LONG}"],
        ),
        is_started=True,
    ),
    Case(name="good-pax-headers", make=built(lambda: [_pax()]), is_started=True),
    Case(name="good-names-from-dot", make=built(lambda: [_dot_slash()]), is_started=True),
    Case(name="good-two-gzip-streams", make=built(lambda: [_two_gzip_streams()]), is_started=True),
    Case(
        name="good-empty-layer",
        make=stacked([RUN], [], [Directory("var/task")]),
        is_started=True,
    ),
    # Started in test_real_tools.py: umoci unpacks OCI manifests only.
    Case(name="good-docker-manifest", make=_docker(scratch(RUN))),
    Case(
        name="good-loader",
        make=scratch(run(LINKED), File("lib/ld.so", PROGRAM, 0o755)),
        is_started=True,
    ),
    Case(
        name="good-scripts-of-scripts",
        make=scratch(
            run("#! /second\t-x\n"),
            File("second", "#!/third", 0o755),
            File("third", "#!/fourth a b\n", 0o755),
            File("fourth", "#!/fifth \n", 0o755),
            File("fifth", "#!/bin/it\n", 0o755),
            File("bin/it", PROGRAM, 0o755),
        ),
        is_started=True,
    ),
    Case(
        name="good-env-in-shebang",
        make=shell(
            Symlink("bin/env", "busybox"),
            Directory("tools"),
            File("tools/own", SCRIPT, 0o755),
            File("run", "#!/bin/env own\n", 0o755),
            entrypoint=["/run"],
            env={"PATH": "/nowhere:/tools:/bin"},
        ),
        is_started=True,
    ),
    Case(
        # execvp of glibc, with which env starts it, gives to a shell what the kernel does not take.
        name="good-text-behind-env",
        make=shell(
            Symlink("bin/env", "busybox"),
            File("bin/own", "exit 0\n", 0o755),
            File("run", "#!/bin/env own\n", 0o755),
            entrypoint=["/run"],
            env={"PATH": "/bin"},
        ),
        is_started=True,
    ),
    Case(
        name="good-mode-for-others-only",
        make=scratch(run(PROGRAM, 0o001)),
        is_started=True,
    ),
    Case(
        name="good-linked-folders",
        make=scratch(
            Symlink("current", "releases/2"),
            Symlink("releases/2", "/stores/two"),
            File("stores/two/run", PROGRAM, 0o755),
            entrypoint=["/current/../two/./run"],
        ),
        is_started=True,
    ),
    Case(
        name="good-extensions",
        make=scratch(
            RUN,
            *(File(f"opt/extensions/e{number}", PROGRAM, 0o755) for number in range(10)),
            Directory("opt/extensions/folder"),
        ),
        extension="/opt/extensions/e3",
        is_started=True,
    ),
    Case(
        name="good-wrapper",
        make=shell(
            File("var/runtime/bootstrap", WRAPPING_RUNTIME, 0o755),
            File("opt/wrapper", '#!/bin/sh\nexec "$@"\n', 0o755),
            env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"},
        ),
        is_started=True,
    ),
    Case(
        name="good-overridden-by-the-function",
        make=shell(entrypoint=["/nothing"], cmd=["nothing"], workdir="/nowhere"),
        properties={"ImageConfig": _ALL_THREE},
        is_started=True,
    ),
    Case(
        name="good-for-the-other-cpu",
        make=scratch(run(FOREIGN), architecture=OTHER),
        function=Function(OTHER_CPU),
    ),
    Case(
        name="good-on-a-pinned-base",
        make=stacked([File("etc/os-release", "")], [RUN]),
        base=stacked([File("etc/os-release", "")]),
        dockerfile=f'{PINNED}COPY run /\nENTRYPOINT ["/run"]\n',
        is_started=True,
    ),
    Case(
        name="good-in-ecr",
        make=scratch(RUN),
        properties={},
        repository=Repository(
            json.dumps(
                {
                    "Statement": {
                        "Effect": "Allow",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                    }
                }
            ),
            "ACTIVE",
        ),
        is_started=True,
    ),
)

# A: the reference

_INVALID = "InvalidParameterValueException"
_DENIES = {
    "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "ecr:*"},
        {"Effect": "Deny", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "ecr:B*"},
    ]
}

REFERENCE = (
    Case(
        name="a1-no-such-image",
        make=then(scratch(RUN), lambda image: image.blob(image.digest).unlink()),
        findings={"A1": E},
        error_type=_INVALID,
    ),
    Case(
        name="a2-not-in-private-ecr",
        make=scratch(RUN),
        properties={},
        image_uri="public.ecr.aws/lambda/nodejs@{digest}",
        findings={"A2": E},
        error_type=_INVALID,
    ),
    Case(
        name="a3-policy-denies",
        make=scratch(RUN),
        repository=Repository(json.dumps(_DENIES), "ACTIVE"),
        findings={"A3": E},
        error_type="ImageAccessDenied",
    ),
    Case(
        name="a3-no-policy",
        make=scratch(RUN),
        repository=Repository(None, "ACTIVE"),
        findings={"A3": W},
    ),
    Case(
        name="a4-archived",
        make=scratch(RUN),
        repository=Repository(json.dumps({"Statement": _DENIES["Statement"][:1]}), "ARCHIVED"),
        findings={"A4": E},
        error_type=_INVALID,
    ),
    Case(
        name="a7-tag-in-the-template",
        make=scratch(RUN),
        properties={},
        image_uri=f"{REPOSITORY_URI}:latest",
        findings={"A7": E},
    ),
    *(
        Case(
            name=f"a8-{name}",
            make=scratch(RUN),
            properties={},
            image_uri=f"{REPOSITORY_URI}{version}",
            findings={"A8": E},
            error_type=_INVALID,
        )
        for name, version in {
            "short-digest": "@sha256:abc",
            "upper-case": f":SHA256:{'A' * 64}",
            "digest-as-a-tag": f":{'a' * 64}",
            "parameter": ":${{Digest}}",
        }.items()
    ),
)

# B: manifest, configuration and layers


def _index(*, attested: bool = False, other: bool = True, docker: bool = False) -> Make:
    def make(folder: Path) -> Image:
        images = [scratch(RUN)(folder)]
        images += [scratch(run(FOREIGN), architecture=OTHER)(folder)] if other else []
        images += [write_attestation(images[0])] if attested else []
        return write_index(folder, *images, **({"media_type": DOCKER_LIST} if docker else {}))

    return make


def _layer(**changes: Any) -> Make:
    return built(lambda: [replace(layer_of(RUN), **changes)])


def _cut(layer: Layer, end: int) -> Layer:
    blob = layer.blob[:end]
    return replace(layer, blob=blob, digest=digest_of(blob), size=len(blob))


def _eighty_mib() -> Layer:
    """Return a layer that is not quite a decompression bomb."""
    noise = random.Random(0).randbytes(512 * 1024)
    return layer_of(File("zeros", bytes(80 * 1024**2)), File("noise", noise))


_FOREIGN_LAYER = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
_SIGNATURE = {
    "config": {
        "mediaType": "application/vnd.dev.cosign.artifact.sig.v1+json",
        "digest": digest_of(b"{}"),
        "size": 2,
    },
    "artifactType": "application/vnd.dev.cosign.artifact.sig.v1+json",
}


def _foreign_layer() -> Layer:
    return replace(
        layer_of(RUN), media_type=_FOREIGN_LAYER, urls=("https://example.invalid/layer.tar.gz",)
    )


def _write_empty_document(image: Image) -> None:
    image.blob(digest_of(b"{}")).write_bytes(b"{}")


def _first_layer(image: Image) -> Path:
    manifest = json.loads(image.blob(image.digest).read_bytes())
    return image.blob(manifest["layers"][0]["digest"])


def _config(image: Image) -> Path:
    manifest = json.loads(image.blob(image.digest).read_bytes())
    return image.blob(manifest["config"]["digest"])


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


FORMAT = (
    Case(name="b1-index", make=_index(), findings={"B1": E}, error_type=_INVALID),
    Case(name="b1-index-of-one", make=_index(other=False), findings={"B1": E}, error_type=_INVALID),
    Case(
        name="b1-docker-manifest-list",
        make=_index(docker=True),
        findings={"B1": E},
        error_type=_INVALID,
    ),
    Case(
        name="b1-index-for-other-cpus",
        make=_index(other=False),
        function=Function(OTHER_CPU),
        findings={"B1": E},
        error_type=_INVALID,
    ),
    Case(
        name="b2-attestation",
        make=_index(attested=True, other=False),
        findings={"B2": E},
        error_type=_INVALID,
    ),
    *(
        Case(name=f"b4-{name}", make=make, findings={"B4": E}, error_type="InvalidImage")
        for name, make in {
            "wrong-diff-id": _layer(diff_id=digest_of(b"")),
            "plain-tar": built(lambda: [layer_of(RUN, compression="none")]),
            "plain-tar-called-gzip": built(
                lambda: [
                    replace(layer_of(RUN, compression="none"), media_type=layer_of(RUN).media_type)
                ]
            ),
            "gzip-called-tar": _layer(media_type="application/vnd.oci.image.layer.v1.tar"),
            "no-tar-in-the-gzip": built(lambda: [layer_from_tar(b"rooms" * 1000)]),
            "tar-cut-off": built(
                lambda: [layer_from_tar(layer_of(RUN, compression="none").blob[:600])]
            ),
            "gzip-cut-off": built(lambda: [_cut(layer_of(RUN), -20)]),
            "hard-link-to-nothing": scratch(RUN, HardLink("app", "nowhere")),
            "file-below-a-file": built(
                lambda: [layer_of(RUN, File("a", ""), File("a/b", ""), parents=False)]
            ),
            "too-few-diff-ids": scratch(
                RUN, config_changes={"rootfs": {"type": "layers", "diff_ids": []}}
            ),
        }.items()
    ),
    Case(
        name="b4-history-of-other-layers",
        make=scratch(RUN, config_changes={"history": [{"created_by": "a"}, {"created_by": "b"}]}),
        findings={"B4": W},
        is_started=True,
    ),
    Case(
        name="b5-zstd",
        make=built(lambda: [layer_of(RUN, compression="zstd")]),
        findings={"B5": E},
        error_type=_INVALID,
    ),
    Case(
        name="b5-zstd-called-gzip",
        make=built(
            lambda: [replace(layer_of(RUN, compression="zstd"), media_type=layer_of().media_type)]
        ),
        findings={"B5": E},
        error_type=_INVALID,
    ),
    Case(
        # One small blob, named so often that all of them are 10.2 GiB.
        name="b6-too-large",
        make=built(lambda: [layer_of(RUN), *[_eighty_mib()] * 130]),
        findings={"B6": E},
        error_type="InvalidImage",
    ),
    Case(
        name="b7-windows", make=scratch(RUN, os="windows"), findings={"B7": E}, error_type=_INVALID
    ),
    Case(name="b7-no-os", make=scratch(RUN, config_changes={"os": None}), findings={"B7": E}),
    Case(
        name="b8-signature",
        make=then(scratch(RUN, manifest_changes=_SIGNATURE), _write_empty_document),
        findings={"B8": E},
        error_type=_INVALID,
    ),
    Case(
        name="b8-no-manifest",
        make=lambda folder: rewritten(scratch(RUN)(folder), b'["neither image nor index"]'),
        findings={"B8": E},
        error_type=_INVALID,
    ),
    *(
        Case(name=f"b9-{name}", make=then(make, damage), findings={"B9": E}, error_type=_INVALID)
        for name, make, damage in (
            ("layer-missing", scratch(RUN), lambda image: _first_layer(image).unlink()),
            ("config-missing", scratch(RUN), lambda image: _config(image).unlink()),
            # What was read under a digest is not read again, so these two have layers of their own.
            (
                "layer-damaged",
                scratch(RUN, File("damaged", "")),
                lambda image: _flip(_first_layer(image)),
            ),
            (
                "layer-cut-off",
                scratch(RUN, File("cut-off", "")),
                lambda image: _first_layer(image).write_bytes(b"\x1f\x8b"),
            ),
            ("config-damaged", scratch(RUN), lambda image: _flip(_config(image))),
            ("manifest-damaged", scratch(RUN), lambda image: _flip(image.blob(image.digest))),
        )
    ),
    Case(
        name="b10-layer-with-urls",
        make=_layer(urls=("https://example.invalid/layer.tar.gz",)),
        findings={"B10": E},
        error_type=_INVALID,
    ),
    Case(
        name="b10-foreign-layer",
        make=then(built(lambda: [_foreign_layer()]), lambda image: _first_layer(image).unlink()),
        findings={"B10": E},
        error_type=_INVALID,
    ),
)

# C: the start

_ENTRYPOINT = "Runtime.InvalidEntrypoint"
_EXIT = "Runtime.ExitError"


def _bad_start(
    name: str, rule: str, make: Make, *, error_type: str = _ENTRYPOINT, **more: Any
) -> Case:
    return Case(
        name=name, make=make, findings={rule: E}, error_type=error_type, is_started=True, **more
    )


def _links(count: int) -> tuple[Member, ...]:
    """Return /run as so many links, one after the other, to a program."""
    links = [Symlink(f"l{number}", f"l{number + 1}") for number in range(1, count)]
    return (Symlink("run", "l1"), *links, File(f"l{count}", PROGRAM, 0o755))


def _scripts(count: int) -> tuple[Member, ...]:
    """Return so many scripts, each the interpreter of the one before, and a program below them."""
    scripts = [File(f"s{number}", f"#!/s{number + 1}\n", 0o755) for number in range(1, count)]
    return (run("#!/s1\n"), *scripts, File(f"s{count}", PROGRAM, 0o755))


START = (
    _bad_start("c1-other-cpu", "C1", scratch(run(FOREIGN), architecture=OTHER)),
    _bad_start(
        "c1-other-cpu-behind-a-script",
        "C1",
        shell(File("bin/busybox", of_other_cpu(busybox()), 0o755), architecture=OTHER),
    ),
    Case(
        name="c1-only-the-configuration",
        make=scratch(RUN, architecture=OTHER),
        findings={"C1": W},
        is_started=True,
    ),
    Case(
        name="c1-no-architecture",
        make=scratch(RUN, config_changes={"architecture": None}),
        findings={"C1": W},
        is_started=True,
    ),
    _bad_start("c2-program", "C2", scratch(run(FOREIGN))),
    _bad_start("c2-shell", "C2", shell(File("bin/busybox", of_other_cpu(busybox()), 0o755))),
    _bad_start("c2-loader", "C2", scratch(run(LINKED), File("lib/ld.so", FOREIGN, 0o755))),
    _bad_start(
        "c2-32-bit",
        "C2",
        scratch(run(PROGRAM[:18] + b"\x28\0" + PROGRAM[20:])),
    ),
    _bad_start(
        "c2-bootstrap",
        "C2",
        shell(File("var/runtime/bootstrap", FOREIGN, 0o755)),
        error_type=_EXIT,
    ),
    Case(
        name="c2-runtime-library",
        make=shell(File("var/lang/lib/x.so", FOREIGN, 0o755)),
        findings={"C2": E},
        error_type=_EXIT,
    ),
    Case(
        name="c3-nothing-to-start",
        make=scratch(RUN, entrypoint=None),
        findings={"C3": E},
        error_type=_ENTRYPOINT,
    ),
    _bad_start("c3-no-entrypoint", "C3", shell(entrypoint=None)),
    _bad_start("c4-handler-as-entrypoint", "C4", shell(entrypoint=["app.handler"], cmd=None)),
    _bad_start(
        "c4-handler-as-entrypoint-of-the-function",
        "C4",
        shell(),
        function=Function(HOST_CPU, entrypoint=("app.handler",)),
    ),
    Case(
        name="c5-command-only",
        make=python(APP),
        properties={"ImageConfig": {"Command": ["app.handler"]}},
        findings={"C5": E},
        error_type=_ENTRYPOINT,
    ),
    _bad_start("c6-missing", "C6", scratch()),
    _bad_start("c6-removed", "C6", stacked([RUN], [Whiteout("run")])),
    _bad_start(
        "c6-folder-removed",
        "C6",
        stacked([File("app/run", PROGRAM, 0o755)], [Opaque("app")], entrypoint=["/app/run"]),
    ),
    _bad_start("c6-below-a-file", "C6", scratch(File("app", "", 0o755), entrypoint=["/app/run"])),
    _bad_start("c6-slash-behind-the-name", "C6", scratch(RUN, entrypoint=["/run/"])),
    _bad_start("c6-name-too-long", "C6", scratch(entrypoint=["/" + "x" * 256])),
    _bad_start(
        "c6-file-of-the-interpreter",
        "C6",
        shell(File("bin/sh", busybox(), 0o755), entrypoint=["/bin/sh", "/app/run.sh"], cmd=None),
        error_type=_EXIT,
    ),
    Case(
        name="c6-below-tmp",
        make=scratch(File("tmp/run", PROGRAM, 0o755), entrypoint=["/tmp/run"]),
        findings={"C6": W},
    ),
    _bad_start(
        "c7-file-of-the-interpreter",
        "C7",
        shell(
            File("bin/sh", busybox(), 0o755),
            File("app/run.sh", SCRIPT, 0o600),
            entrypoint=["/bin/sh", "/app/run.sh"],
            cmd=None,
        ),
        error_type=_EXIT,
    ),
    _bad_start("c7-not-executable", "C7", scratch(run(PROGRAM, 0o644))),
    _bad_start("c7-not-for-others", "C7", scratch(run(PROGRAM, 0o750))),
    _bad_start("c7-mode-of-a-higher-layer", "C7", stacked([RUN], [run(PROGRAM, 0o700)])),
    _bad_start(
        "c7-folder-mode-of-a-higher-layer",
        "C7",
        stacked(
            [File("app/run", PROGRAM, 0o755)], [Directory("app", 0o700)], entrypoint=["/app/run"]
        ),
    ),
    _bad_start(
        "c7-closed-folder",
        "C7",
        scratch(Directory("app", 0o700), File("app/run", PROGRAM, 0o755), entrypoint=["/app/run"]),
    ),
    _bad_start(
        "c7-closed-folder-behind-a-link",
        "C7",
        scratch(Symlink("run", "app/it"), Directory("app", 0o750), File("app/it", PROGRAM, 0o755)),
    ),
    _bad_start("c7-folder", "C7", scratch(Directory("run"))),
    _bad_start(
        "c7-interpreter-not-for-others",
        "C7",
        scratch(run("#!/bin/it\n"), File("bin/it", PROGRAM, 0o750)),
    ),
    _bad_start(
        "c7-loader-not-executable",
        "C7",
        scratch(run(LINKED), File("lib/ld.so", PROGRAM, 0o644)),
    ),
    _bad_start(
        "c7-script-not-readable",
        "C7",
        shell(File("run", SCRIPT, 0o711), entrypoint=["/run"]),
        error_type=_EXIT,
    ),
    _bad_start("c8-no-shebang", "C8", shell(File("run", "exit 0\n", 0o755), entrypoint=["/run"])),
    _bad_start(
        "c8-byte-order-mark",
        "C8",
        shell(File("run", b"\xef\xbb\xbf" + SCRIPT.encode(), 0o755), entrypoint=["/run"]),
    ),
    _bad_start("c8-empty", "C8", scratch(run(""))),
    _bad_start("c8-empty-shebang", "C8", scratch(run("#!\n"))),
    _bad_start("c8-two-bytes", "C8", scratch(run("#!"))),
    _bad_start("c8-overlong-shebang", "C8", scratch(run(f"#!/{'x' * 300}\n"))),
    _bad_start(
        "c9-windows-line-ends",
        "C9",
        shell(File("lambda-entrypoint.sh", ENTRYPOINT.replace("\n", "\r\n"), 0o755)),
    ),
    _bad_start(
        "c9-windows-line-ends-behind-env",
        "C9",
        shell(
            Symlink("bin/env", "busybox"),
            File("run", "#!/bin/env sh\r\nexit 0\r\n", 0o755),
            entrypoint=["/run"],
        ),
        error_type=_EXIT,
    ),
    _bad_start(
        "c9-windows-line-ends-behind-an-option",
        "C9",
        shell(File("run", "#!/bin/sh -e\r\nexit 0\r\n", 0o755), entrypoint=["/run"], cmd=None),
        error_type=_EXIT,
    ),
    _bad_start("c10-no-interpreter", "C10", scratch(run("#!/bin/bash\n"))),
    _bad_start(
        "c10-no-interpreter-behind-env",
        "C10",
        shell(
            Symlink("bin/env", "busybox"),
            File("run", "#!/bin/env bash\n", 0o755),
            entrypoint=["/run"],
        ),
        error_type=_EXIT,
    ),
    _bad_start("c10-six-scripts", "C10", scratch(*_scripts(6))),
    _bad_start("c10-own-interpreter", "C10", scratch(run("#!/run\n"))),
    _bad_start("c11-no-loader", "C11", scratch(run(LINKED))),
    _bad_start(
        "c11-loader-is-text", "C11", scratch(run(LINKED), File("lib/ld.so", "x" * 99, 0o755))
    ),
    _bad_start("c11-loader-is-empty", "C11", scratch(run(LINKED), File("lib/ld.so", "", 0o755))),
    *(
        _bad_start(f"c12-{name}", "C12", scratch(run(content)))
        for name, content in {
            "ar-archive": b"!<arch>\nrooms",
            "macos": b"\xcf\xfa\xed\xfe" + bytes(60),
            "windows": b"MZ" + bytes(60),
            "zip": b"PK\x03\x04" + bytes(60),
            "program-cut-off": PROGRAM[:70],
            "loader-without-a-name": tiny_elf(interpreter=""),
        }.items()
    ),
    _bad_start("c13-dangling", "C13", scratch(Symlink("run", "nowhere"))),
    _bad_start("c13-loop", "C13", scratch(Symlink("run", "there"), Symlink("there", "run"))),
    _bad_start("c13-41-links", "C13", scratch(*_links(41))),
    Case(name="c13-40-links", make=scratch(*_links(40)), findings={"C13": W}, is_started=True),
    Case(
        name="c13-symlinked-entrypoint",
        make=scratch(Symlink("run", "/app/it"), File("app/it", PROGRAM, 0o755)),
        findings={"C13": W},
        is_started=True,
    ),
    _bad_start(
        "c14-bare-name",
        "C14",
        scratch(RUN, Directory("var/task"), entrypoint=["run"], workdir="/var/task"),
    ),
    Case(
        name="c14-from-the-working-directory",
        make=scratch(
            File("var/task/run", PROGRAM, 0o755), entrypoint=["./run"], workdir="/var/task"
        ),
        findings={"C14": W},
        is_started=True,
    ),
    *(
        _bad_start(f"c15-{name}", "C15", scratch(RUN, *members, workdir=workdir), error_type=type_)
        for name, workdir, type_, members in (
            ("missing", "/nowhere", "Runtime.InvalidWorkingDir", ()),
            ("relative", "var/task", "Runtime.InvalidWorkingDir", (Directory("var/task"),)),
            (
                "below-a-closed-folder",
                "/root/app",
                _ENTRYPOINT,
                (Directory("root", 0o700), Directory("root/app")),
            ),
            ("file", "/run", _ENTRYPOINT, ()),
        )
    ),
    Case(
        name="c15-closed",
        make=scratch(RUN, Directory("root", 0o700), workdir="/root"),
        # Code there could not be read either.
        findings={"C15": E, "E6": W},
        error_type=_ENTRYPOINT,
        is_started=True,
    ),
    Case(name="c15-none", make=scratch(RUN, workdir=None), findings={"C15": W}),
    _bad_start("c16-large-variable", "C16", scratch(RUN, env={"X": "x" * (128 * 1024 - 2)})),
    Case(
        name="c16-just-not-too-large",
        make=scratch(RUN, env={"X": "x" * (128 * 1024 - 3)}),
        is_started=True,
    ),
    Case(
        name="c16-environment-of-the-function",
        make=scratch(RUN),
        function=Function(HOST_CPU, environment={"X": "x" * 4096}),
        findings={"C16": E},
        error_type=_INVALID,
    ),
)

# D: the process


def _runtime_file(ending: str) -> File:
    files = [member for member in python_runtime() if isinstance(member, File)]
    (found,) = (file for file in files if file.path.endswith(ending))
    return found


def _without_libm(folder: Path) -> Image:
    return python(APP, Whiteout(_runtime_file("/libm.so.6").path))(folder)


def _with_older_libm(folder: Path) -> Image:
    """Replace a library by one whose newest version has another name."""
    libm = _runtime_file("/libm.so.6")
    assert isinstance(libm.content, bytes)
    older = replace(libm, content=libm.content.replace(b"GLIBC_2.29\0", b"GLIBC_2.92\0"))
    return python(APP, older)(folder)


PROCESS = (
    *(
        _bad_start(f"d1-{name}", "D1", shell(cmd=cmd), error_type=_EXIT)
        for name, cmd in {
            "no-command": None,
            "two-arguments": ["app.handler", "more"],
            "shell-form": ["/bin/sh", "-c", "app.handler"],
        }.items()
    ),
    _bad_start("d2-no-libm", "D2", _without_libm, error_type=_EXIT),
    _bad_start("d2-older-libm", "D2", _with_older_libm, error_type=_EXIT),
    Case(
        name="d3-npx",
        make=node(
            File("usr/bin/npx", PROGRAM, 0o755),
            File("var/task/index.js", NODE_HANDLER),
            entrypoint=["/usr/bin/npx", "aws-lambda-ric"],
        ),
        findings={"D3": E},
        error_type=_EXIT,
    ),
    Case(
        name="d4-no-client",
        make=scratch(
            File("usr/bin/node", PROGRAM, 0o755), entrypoint=["/usr/bin/node", "server.js"]
        ),
        findings={"D4": W},
    ),
    _bad_start(
        "d4-no-module",
        "D4",
        built(
            lambda: [
                _elsewhere(),
                layer_of(
                    Whiteout(f"usr/local/lib/{PYTHON}/site-packages/awslambdaric"), parents=False
                ),
            ],
            entrypoint=[f"/usr/local/bin/{PYTHON}", "-m", "awslambdaric"],
            cmd=["main.handler"],
            workdir="/app",
            env={"LD_LIBRARY_PATH": "/usr/local/lib"},
        ),
        error_type=_EXIT,
    ),
    _bad_start(
        "d4-no-bootstrap",
        "D4",
        shell(Whiteout("var/runtime/bootstrap")),
        error_type=_EXIT,
    ),
    _bad_start(
        "d5-no-wrapper",
        "D5",
        shell(
            File("var/runtime/bootstrap", WRAPPING_RUNTIME, 0o755),
            env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap"},
        ),
        error_type=_EXIT,
    ),
    _bad_start(
        "d5-wrapper-not-executable",
        "D5",
        shell(
            File("var/runtime/bootstrap", WRAPPING_RUNTIME, 0o755),
            File("opt/bootstrap", SCRIPT, 0o644),
            env={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/bootstrap"},
        ),
        error_type=_EXIT,
    ),
    Case(
        name="d6-cache-folder",
        make=scratch(RUN, env={"HF_HOME": "/var/cache"}),
        findings={"D6": W},
        is_started=True,
    ),
)

# E: the handler

_IMPORT = "Runtime.ImportModuleError"
_SYNTAX = "Runtime.UserCodeSyntaxError"


def _bad_handler(name: str, rule: str, error_type: str, handler: str, *members: Member) -> Case:
    return _bad_start(name, rule, python(*members, handler=handler), error_type=error_type)


def _glibc_module_on_musl(folder: Path) -> Image:
    """Write what `pip install` on Debian and a copy to Alpine make."""
    loader = "/lib/ld-musl-x86_64.so.1"
    return scratch(
        run(tiny_elf(interpreter=loader)),
        File(loader, PROGRAM, 0o755),
        replace(_runtime_file("/libm.so.6"), path="app/fast.so"),
        workdir="/app",
    )(folder)


def _app(text: str | bytes, *members: Member) -> tuple[Member, ...]:
    return (File("var/task/app.py", text), *members)


LOADING = (
    _bad_handler("e1-no-dot", "E1", "Runtime.MalformedHandlerName", "app", APP),
    _bad_handler("e1-no-module", "E1", "ValueError", ".handler", APP),
    _bad_handler("e1-dots-first", "E1", "TypeError", "..handler", APP),
    _bad_handler("e2-no-module", "E2", _IMPORT, "main.handler", APP),
    _bad_handler("e2-no-package", "E2", _IMPORT, "rooms.app.handler", APP),
    _bad_handler("e2-module-in-no-package", "E2", _IMPORT, "app.main.handler", APP),
    _bad_handler(
        "e2-no-dependency", "E2", _IMPORT, "app.handler", *_app("import requests\n" + HANDLER)
    ),
    _bad_handler(
        "e2-no-dependency-of-another-module",
        "E2",
        _IMPORT,
        "rooms.app.handler",
        Directory("var/task/rooms"),
        File("var/task/rooms/app.py", "from . import store\n" + HANDLER),
        File("var/task/rooms/store.py", "from requests import get\n"),
    ),
    Case(
        name="e2-path-changed-by-another-module",
        make=python(
            File("var/task/app.py", "import setup_path\nimport nothere\n" + HANDLER),
            File(
                "var/task/setup_path.py",
                "import sys, types\nsys.modules['nothere'] = types.ModuleType('nothere')\n",
            ),
        ),
        findings={"E2": W},
        is_started=True,
    ),
    _bad_handler(
        "e2-relative-import-without-a-package",
        "E2",
        _IMPORT,
        "app.handler",
        *_app("from . import store\n" + HANDLER, File("var/task/store.py", "")),
    ),
    _bad_handler(
        "e2-package-of-another-python",
        "E2",
        _IMPORT,
        "app.handler",
        *_app(
            "import requests\n" + HANDLER,
            File("var/lang/lib/python3.2/site-packages/requests/__init__.py", ""),
        ),
    ),
    _bad_start(
        "e2-code-beside-the-task-root",
        "E2",
        python(
            File("app/app.py", HANDLER),
            workdir="/app",
            env={"LAMBDA_TASK_ROOT": "/var/task", "LD_LIBRARY_PATH": "/var/lang/lib"},
        ),
        error_type=_IMPORT,
    ),
    Case(
        name="e4-too-large-to-judge",
        make=python(File("var/task/app.py", HANDLER + "import " + ".".join(["a"] * 20_000) + "\n")),
        findings={"E4": W},
    ),
    _bad_handler("e3-no-function", "E3", "Runtime.HandlerNotFound", "app.lambda_handler", APP),
    _bad_handler(
        "e3-folder",
        "E3",
        "Runtime.HandlerNotFound",
        "rooms.handler",
        Directory("var/task/rooms"),
        File("var/task/rooms/app.py", HANDLER),
    ),
    _bad_handler("e4-syntax", "E4", _SYNTAX, "app.handler", *_app("def handler(event, context:\n")),
    _bad_handler(
        "e4-syntax-of-another-module",
        "E4",
        _SYNTAX,
        "app.handler",
        *_app("import store\n" + HANDLER, File("var/task/store.py", "if x = 1: pass\n")),
    ),
    _bad_handler(
        "e4-not-utf-8", "E4", _SYNTAX, "app.handler", *_app(b"name = '\xe9'\n" + HANDLER.encode())
    ),
    _bad_handler(
        "e5-built-in",
        "E5",
        "Runtime.BuiltInModuleConflict",
        "time.handler",
        File("var/task/time.py", HANDLER),
    ),
    _bad_handler(
        "e6-file", "E6", "PermissionError", "app.handler", File("var/task/app.py", HANDLER, 0o600)
    ),
    Case(
        name="e6-folder",
        make=python(
            Directory("var/task/rooms", 0o700),
            File("var/task/rooms/app.py", HANDLER),
            handler="rooms.app.handler",
        ),
        findings={"E6": E, "E2": E},
        error_type=_IMPORT,
        is_started=True,
    ),
    Case(
        name="e6-other-file",
        make=python(APP, File("var/task/logo.png", "", 0o600)),
        findings={"E6": W},
        is_started=True,
    ),
    _bad_handler(
        "e7-other-cpu",
        "E7",
        _IMPORT,
        "app.handler",
        *_app("import fast\n" + HANDLER, File("var/task/fast.so", FOREIGN, 0o755)),
    ),
    *(
        Case(
            name=f"{rule.lower()}-node-{name}",
            make=node(*members, handler=handler),
            findings={rule: severity},
            error_type=type_,
        )
        for rule, name, severity, type_, handler, members in (
            ("E1", "no-dot", E, "Runtime.MalformedHandlerName", "index", ()),
            ("E1", "two-dots", E, "Runtime.MalformedHandlerName", "../index.handler", ()),
            ("E2", "no-module", E, _IMPORT, "index.handler", ()),
            (
                "E2",
                "typescript",
                E,
                _IMPORT,
                "index.handler",
                (File("var/task/index.ts", NODE_HANDLER),),
            ),
            (
                "E3",
                "no-export",
                W,
                "",
                "index.lambdaHandler",
                (File("var/task/index.js", NODE_HANDLER),),
            ),
            (
                "E4",
                "module-kind",
                W,
                "",
                "index.handler",
                (File("var/task/index.js", "export const handler = async () => ({});\n"),),
            ),
        )
    ),
    Case(
        name="e7-node-other-cpu",
        make=node(
            File("var/task/index.js", NODE_HANDLER),
            *(Directory(f"var/task/node_modules{more}") for more in ("", "/sharp")),
            File("var/task/node_modules/sharp/sharp-linux-x64.node", FOREIGN, 0o755),
        ),
        findings={"E7": E},
        error_type=_IMPORT,
    ),
    Case(
        name="e7-glibc-module-on-musl",
        make=_glibc_module_on_musl,
        findings={"E7": E},
        error_type=_IMPORT,
    ),
    Case(
        name="e7-node-one-of-each-cpu",
        make=node(
            File("var/task/index.js", NODE_HANDLER),
            File("var/task/sharp-linux-x64.node", tiny_elf(machine=X86_64), 0o755),
            File("var/task/sharp-linux-arm64.node", tiny_elf(machine=AARCH64), 0o755),
        ),
    ),
)

# F: extensions

_LAUNCH = "Extension.LaunchError"
_EXTENSION = "/opt/extensions/telemetry"


def _extension(name: str, rule: str, *members: Member) -> Case:
    return _bad_start(name, rule, scratch(RUN, *members), error_type=_LAUNCH, extension=_EXTENSION)


EXTENSIONS = (
    _extension("f1-other-cpu", "F1", File(_EXTENSION, FOREIGN, 0o755)),
    _extension("f2-not-executable", "F2", File(_EXTENSION, PROGRAM, 0o644)),
    _extension("f2-no-interpreter", "F2", File(_EXTENSION, SCRIPT, 0o755)),
    _extension(
        "f2-windows-line-ends",
        "F2",
        File(_EXTENSION, "#!/run\r\n", 0o755),
    ),
    _extension("f2-no-shebang", "F2", File(_EXTENSION, "exit 0\n", 0o755)),
    Case(
        name="f3-eleven",
        make=scratch(
            RUN, *(File(f"opt/extensions/e{number}", PROGRAM, 0o755) for number in range(11))
        ),
        findings={"F3": E},
        error_type="Extension.LaunchError (TooManyExtensions)",
    ),
)

# G: the template

TEMPLATE = (
    Case(
        name="g1-layers",
        make=scratch(RUN),
        properties={"Layers": ["arn:aws:lambda:ap-northeast-1:123456789012:layer:x:1"]},
        findings={"G1": E},
        error_type=_INVALID,
    ),
    Case(
        name="g2-no-architecture",
        make=scratch(run(tiny_elf(machine=X86_64)), architecture="amd64"),
        properties={"Architectures": None},
        findings={"G2": W},
    ),
)

# H: drift

DRIFT = (
    *(
        Case(name=f"h1-{name}", make=scratch(RUN), dockerfile=text, findings={"H1": E})
        for name, text in {
            "tag": "FROM public.ecr.aws/lambda/nodejs:22\n",
            "no-tag": "FROM alpine AS build\nFROM build\n",
            "tag-in-an-argument": "ARG BASE=alpine:3\nFROM ${BASE}\n",
            "copy-from": f"{PINNED}COPY --from=datadog/lambda-extension:60 /opt/ /opt/\n",
        }.items()
    ),
    Case(
        name="h2-another-base",
        make=stacked([File("etc/os-release", "today's")], [RUN]),
        base=stacked([File("etc/os-release", "yesterday's")]),
        findings={"H2": E},
    ),
    Case(name="h3-base-is-an-index", make=scratch(RUN), base=_index(), findings={"H3": W}),
    Case(
        name="h4-another-digest-in-the-template",
        make=scratch(RUN),
        properties={},
        image_uri=f"{REPOSITORY_URI}@sha256:{'0' * 64}",
        findings={"H4": E},
    ),
)

CASES: Final = (
    *GOOD, *REFERENCE, *FORMAT, *START, *PROCESS, *LOADING, *EXTENSIONS, *TEMPLATE, *DRIFT
)  # fmt: skip
BY_NAME: Final = {case.name: case for case in CASES}
