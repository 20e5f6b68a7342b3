"""AWS's runtime clients for Node, and where they look for the handler's module.

Read and measured: aws-lambda-ric 3.3.0 and 4.0.2,
https://github.com/aws/aws-lambda-nodejs-runtime-interface-client.
"""

import posixpath
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.image.layer import FileKind
from imagecheck.start.handler import Handler
from imagecheck.start.node.module_kind import How
from imagecheck.start.node.package_json import Packages
from imagecheck.start.node.resolve import Resolver
from imagecheck.start.node.sources import Sources

if TYPE_CHECKING:
    from imagecheck.start.launch import Process

Generation = Literal[3, 4]
_TASK_ROOT: Final = "/var/task"
_ENDINGS: Final = ("", ".js", ".mjs", ".cjs")


@dataclass(frozen=True)
class Client:
    """The runtime client of an image."""

    generation: Generation | None
    """3 or 4; None where that is not known. Older ones than 3 look as 3 does."""
    root: str
    """The folder in which it looks."""
    folder: str = ""
    """Where its package is; empty for that of AWS's base image."""
    other_root: str = ""
    """Another folder, where it is not known for sure in which it looks."""


@dataclass(frozen=True)
class NodeModules:
    """What a client finds modules with."""

    files: FileSystem
    packages: Packages
    resolver: Resolver


@dataclass(frozen=True)
class Found:
    """A handler's module, and how it is loaded."""

    node: Node
    how: How


@dataclass(frozen=True)
class NotFound:
    """The handler's module is not found, or what is found is a folder."""

    text: str
    error_type: str = "Runtime.ImportModuleError"


def client_of(handler: Handler, files: FileSystem, sources: Sources) -> Client:
    """Describe the runtime client that loads a handler."""
    environment = handler.process.environment
    workdir = posixpath.normpath(handler.process.workdir or "/")
    task_root = environment.get("LAMBDA_TASK_ROOT", "")
    if handler.is_on_aws_base:
        return Client(_generation_of_base(sources), task_root or _TASK_ROOT)
    folder = _folder_of(handler.client, handler.process, files)
    generation = _generation_of(folder, sources)
    if generation == 3:  # noqa: PLR2004  (the third generation)
        return Client(generation, workdir, folder)
    if generation is None:
        return Client(generation, task_root or _TASK_ROOT, folder, other_root=workdir)
    is_free = not task_root and not _needs_task_root(folder, sources)
    return Client(
        generation, task_root or _TASK_ROOT, folder, other_root=workdir if is_free else ""
    )


def _needs_task_root(folder: str, sources: Sources) -> bool:
    """Whether a client refuses to start without LAMBDA_TASK_ROOT, as 4.0.0 to 4.0.2 do.

    Then the working directory counts for nothing: where an image does not set the variable, Lambda
    sets it to /var/task. https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/issues/184
    """
    text = sources.read_path(posixpath.join(folder, "index.mjs")) or b""
    return b"LAMBDA_TASK_ROOT environment variable is not set" in text


def needs_handler_variable(client: Client, sources: Sources) -> bool:
    """Whether a client takes the handler's name from _HANDLER alone, as the fourth generation does.

    Lambda sets it for an image to the first word of CMD, and to nothing where there is no CMD:
    https://github.com/aws/aws-lambda-ruby-runtime-interface-client/issues/56
    """
    text = sources.read_path(posixpath.join(client.folder, "index.mjs")) if client.folder else None
    return b"_HANDLER environment variable is not set" in (text or b"")


def _generation_of_base(sources: Sources) -> Generation | None:
    text = sources.read_path("/var/runtime/index.mjs") or b""
    if b"CallbackHandlerDeprecated" in text:
        return 4
    return 3 if b"_tryRequireFile" in text or b"UserFunction" in text else None


def _folder_of(name: str, process: "Process", files: FileSystem) -> str:
    paths = [posixpath.join(process.workdir or "/", name)]
    if "/" not in name:
        paths.append(posixpath.join(process.workdir or "/", "node_modules", name))
    for path in paths:
        node = files.find(path)
        folder = node.path if node else ""
        while folder and folder != "/":
            if posixpath.basename(folder) == "aws-lambda-ric":
                return folder
            folder = posixpath.dirname(folder)
    return ""


def _generation_of(folder: str, sources: Sources) -> Generation | None:
    text = sources.read_path(posixpath.join(folder, "package.json")) if folder else None
    try:
        content = msgspec.json.decode(text or b"")
        major = int(str(content["version"]).partition(".")[0])
    except (
        msgspec.DecodeError,
        UnicodeDecodeError,
        RecursionError,
        TypeError,
        KeyError,
        ValueError,
    ):
        return None
    return 3 if major <= 3 else 4  # noqa: PLR2004  (the third generation)


def lacking_native_part(client: Client, files: FileSystem, sources: Sources) -> str:
    """Return the client's native part where that is missing: it is built while npm installs."""
    if not client.folder:
        return ""
    for program in ("index.mjs", "dist/index.mjs"):
        path = posixpath.join(client.folder, program)
        if b"rapid-client.node" in (sources.read_path(path) or b""):
            native = posixpath.join(posixpath.dirname(path), "rapid-client.node")
            return "" if files.find(native) else native
    return ""


def find_module(
    generation: Generation,
    root: str,
    name: str,
    modules: NodeModules,
) -> Found | NotFound | None:
    """Find a handler's module as a client of that generation does.

    None: it depends on something that is not known.
    """
    folder, base = posixpath.split(name)
    stem = base.partition(".")[0]
    if generation == 4 and folder == "/":  # noqa: PLR2004  (the fourth generation)
        # It takes the slash at the end away.
        folder = ""
    path = posixpath.normpath(posixpath.join(root, folder, stem))
    is_imported = generation == 4  # noqa: PLR2004
    found = _imported(path, modules.files) if is_imported else _required(path, modules)
    return found or _as_node_does(root, folder, stem, path, modules.resolver)


def _imported(path: str, files: FileSystem) -> Found | NotFound | None:
    for ending in _ENDINGS:
        node = files.find(path + ending)
        if node is None:
            continue
        if node.kind is FileKind.DIRECTORY:
            text = f"{node.path} is a folder, which is tried first, and a folder cannot be imported"
            return NotFound(text, "Error")
        return Found(node, "import")
    return None


def _required(path: str, modules: NodeModules) -> Found | NotFound | None:
    files, packages, resolver = modules.files, modules.packages, modules.resolver
    if files.find(path):
        found = resolver.as_file(path)
        return Found(found, "require") if found else NotFound(f"{path} has no main module")
    script = files.find(f"{path}.js")
    if script:
        package = packages.scope_of(f"{path}.js")
        is_module = package is not None and package.type == "module"
        return Found(script, "import" if is_module else "require")
    if node := files.find(f"{path}.mjs"):
        return Found(node, "import")
    node = files.find(f"{path}.cjs")
    return Found(node, "require") if node else None


def _as_node_does(
    root: str, folder: str, stem: str, path: str, resolver: Resolver
) -> Found | NotFound | None:
    """``require.resolve`` of the bare name, from the root and from the handler's folder."""
    if stem:
        found = resolver.require(stem, root, [posixpath.join(root, folder)])
        if isinstance(found, Node):
            return Found(found, "require")
        if isinstance(found, str):
            return None
    return NotFound(f"there is no {path} with .js, .mjs or .cjs, and no package {stem!r}")
