"""A root directory in which a real Node and AWS's runtime client start under the Runtime API.

Both are installed by tests/package.json. The client's native part, which is built when it is
installed for use, only talks to the Runtime API: a few lines take its place. All that finds and
loads a handler is the client's own.
"""

import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.support.imagecheck.images import Directory, File, Member
from tests.support.imagecheck.images import Symlink as Link
from tests.support.imagecheck.tools import MissingToolError

MODULES: Final = Path(__file__).parents[2] / "node_modules"
NODES: Final = ("20", "22", "24")
_CPU: Final = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
NATIVE_PART: Final = """
const http = require("node:http");
const call = (path, body) => new Promise((resolve, reject) => {
  const [hostname, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
  const method = body === undefined ? "GET" : "POST";
  path = "/2018-06-01/runtime/invocation/" + path;
  http.request({ hostname, port, path, method }, (response) => {
    let bodyJson = "";
    response.setEncoding("utf8").on("data", (piece) => { bodyJson += piece; });
    response.on("end", () => resolve({ bodyJson, headers: response.headers }));
  }).on("error", reject).end(body);
});
require.extensions[".node"] = (module) => {
  module.exports = {
    initializeClient() {},
    next: () => call("next"),
    done: (id, body) => { call(id + "/response", body); },
    error: (id, body) => { call(id + "/error", body); },
  };
};
"""


def write_runtime(rootfs: Path, node: str, client: int) -> Path:
    """Write a root directory with a Node (its major version) and a client (3 or 4)."""
    program = node_folder(node) / "bin/node"
    for library in libraries_of(program):
        _copy(library, rootfs)
    _copy(program, rootfs, Path("usr/local/bin/node"))
    package = rootfs / "client/node_modules/aws-lambda-ric"
    shutil.copytree(installed(f"aws-lambda-ric-{client}"), package)
    starter = Path("bin/index.mjs" if client == 3 else "index.mjs")
    (package / ("dist" if client == 3 else ".") / "rapid-client.node").touch()
    links = rootfs / "client/node_modules/.bin"
    links.mkdir()
    (links / "aws-lambda-ric").symlink_to(f"../aws-lambda-ric/{starter}")
    (rootfs / "native-part.cjs").write_text(NATIVE_PART)
    (rootfs / "tmp").mkdir()
    return rootfs


def node_folder(node: str) -> Path:
    """Return where a Node (its major version) is installed."""
    return installed(f"node-{node}-{_CPU}")


def command_of(handler: str) -> list[str]:
    """Return how the client is started."""
    native_part = ["--require", "/native-part.cjs"]
    return [
        "/usr/local/bin/node",
        *native_part,
        "/client/node_modules/.bin/aws-lambda-ric",
        handler,
    ]


def write_members(rootfs: Path, members: tuple[Member, ...]) -> None:
    """Write files, folders and symlinks into a root directory."""
    for member in members:
        if isinstance(member, Directory):
            (rootfs / member.path).mkdir(exist_ok=True)
        elif isinstance(member, Link):
            (rootfs / member.path).symlink_to(member.target)
        elif isinstance(member, File):
            content = member.content
            (rootfs / member.path).write_bytes(
                content.encode() if isinstance(content, str) else content
            )


def libraries_of(program: Path) -> list[Path]:
    """Return what the loader loads for a program, and the loader."""
    return [Path(name) for name in re.findall(r"(/\S+) \(0x", _run("ldd", str(program)))]


def installed(name: str) -> Path:
    """Return the folder of a package of tests/package.json. Raises MissingToolError."""
    path = MODULES / name
    if not path.exists():
        raise MissingToolError(f"{path} is needed: npm ci --prefix tests")
    return path


def _copy(file: Path, rootfs: Path, to: Path | None = None) -> None:
    place = rootfs / (to or file.relative_to("/"))
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, place)


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
