"""Images with which nothing is wrong, of many kinds."""

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from imagecheck.function import Function
from imagecheck.image.manifest import DOCKER_MANIFEST, digest_of
from imagecheck.subject import Repository
from local.practice.base_files import PYTHON
from tests.support.imagecheck.cases import (
    APP,
    FOREIGN,
    HANDLER,
    LINKED,
    NODE_HANDLER,
    OTHER_CPU,
    PINNED,
    PROGRAM,
    RUN,
    SCRIPT,
    WRAPPING_RUNTIME,
    Case,
    Make,
    built,
    node,
    python,
    python_elsewhere,
    rewritten,
    run,
    scratch,
    shell,
    stacked,
)
from tests.support.imagecheck.images import (
    Directory,
    File,
    HardLink,
    Image,
    Layer,
    Opaque,
    Raw,
    Symlink,
    Whiteout,
    layer_from_tar,
    layer_of,
)
from tests.support.imagecheck.programs import OTHER


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


def _zip(files: Mapping[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


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
    *(
        Case(
            name=f"good-python-{name}",
            make=python(File("var/task/app.py", text + HANDLER), *members),
            is_started=True,
        )
        for name, text, *members in (
            # As serverless-python-requirements does it.
            (
                "path-changed-by-what-may-be-missing",
                "try:\n    import unzip_requirements\nexcept ImportError:\n    pass\nimport dep\n",
                File(
                    "var/task/unzip_requirements.py", "import sys\nsys.path.append('/srv/more')\n"
                ),
                File("srv/more/dep.py", ""),
            ),
            (
                "zip-put-on-the-path",
                "import sys\nsys.path.insert(0, '/var/task/more.zip')\nimport dep\n",
                File("var/task/more.zip", _zip({"dep/__init__.py": ""})),
            ),
            (
                "another-module-in-place-of-a-missing-one",
                "try:\n    import nothere\nexcept ImportError:\n    import json as nothere\n"
                "try:\n    import nor_this\nexcept ImportError:\n    try:\n"
                "        import nor_that\n    except ImportError:\n        nor_that = None\n",
            ),
            (
                "import-function-of-its-own",
                "def import_module(name):\n    try:\n        return __import__(name)\n"
                "    except ImportError:\n        return None\n"
                "nothere = import_module('nothere')\n",
            ),
            (
                "stars",
                "from store import *\nfrom other import *\n_ = get\n",
                File("var/task/store.py", "__all__ = ('get',)\ndef get(): ...\n"),
                File("var/task/other.py", "from third import *\n"),
                File("var/task/third.py", "if True:\n    third = 3\n"),
            ),
        )
    ),
    Case(
        name="good-python-handler-bound-by-a-star",
        make=python(
            File("var/task/app.py", "from other import *\n"),
            File("var/task/other.py", "from third import *\n__all__ = [n for n in dir()]\n"),
            File("var/task/third.py", HANDLER),
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
            lambda: [python_elsewhere(), layer_of(File("other.py", HANDLER))],
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
            lambda: [python_elsewhere()],
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
        # The runtime is a script, and a shell runs by itself what the kernel does not take.
        name="good-wrapper-without-a-shebang",
        make=shell(
            File("var/runtime/bootstrap", WRAPPING_RUNTIME, 0o755),
            File("opt/wrapper", 'exec "$@"\n', 0o755),
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
