"""Problems of one ``require`` or ``import``: nothing is found, or what is found does not fit."""

import posixpath
from typing import Final

from imagecheck.image.filesystem import Node
from imagecheck.start.handler_problem import HandlerProblem, handler_problem
from imagecheck.start.node.imports import ModuleRequest
from imagecheck.start.node.lexed_names import is_never_seen
from imagecheck.start.node.loader import Loader
from imagecheck.start.node.module_exports import exports_of
from imagecheck.start.node.module_kind import ModuleKind
from imagecheck.start.node.resolve import Missing
from imagecheck.start.node.sources import package_folder

_INSTALL = "install it in the image (npm ci --omit=dev), or let the bundler bundle it"
COPY_FIX: Final = "copy it into the image, or correct the path"
"""What to do about a file that is not in the image."""
_SDK = ("@aws-sdk/", "@smithy/", "@aws-crypto/")


def missing_module(
    loader: Loader, node: Node, request: ModuleRequest, missing: Missing
) -> HandlerProblem | None:
    """Report a module that is not found; None for the AWS SDK where the image has it."""
    if loader.context.has_sdk and request.name.startswith(_SDK):
        return None
    verb = "requires" if request.how == "require" else "imports"
    found = f"{node.path}, line {request.line}, {verb} {request.name!r}: {missing.text}"
    fix = COPY_FIX if request.name.startswith((".", "/")) else _INSTALL
    if missing.folder or _would_be(loader, request, node):
        fix = "write the whole name of the file, with its ending"
    return handler_problem("E2", found, fix, error_type=missing.error_type)


def unfit_import(
    loader: Loader, node: Node, request: ModuleRequest, found: Node
) -> HandlerProblem | None:
    """Report an ``import`` of a module that is found, and that does not fit it."""
    if request.how != "import":
        return None
    return _lacking_type(node, request, found) or _lacking_name(loader, node, request, found)


def _would_be(loader: Loader, request: ModuleRequest, node: Node) -> bool:
    """Whether ``require`` would find what ``import`` does not."""
    if request.how != "import" or not request.name.startswith("."):
        return False
    path = posixpath.join(posixpath.dirname(node.path), request.name)
    return loader.context.resolver.as_file(path) is not None


def _lacking_name(
    loader: Loader, node: Node, request: ModuleRequest, found: Node
) -> HandlerProblem | None:
    """Report an ES module that wants a name of another one that does not export it."""
    if not request.names or package_folder(node.path):
        return None
    _, kind = loader.kind(found, "import")
    lacking: list[str] = []
    if kind is ModuleKind.JSON:
        lacking = [name for name in request.names if name != "default"]
    elif kind is ModuleKind.COMMONJS:
        text = loader.context.sources.text(found) or b""
        lacking = [name for name in request.names if is_never_seen(text, name)]
    elif kind is ModuleKind.MODULE and not package_folder(found.path):
        exports = exports_of(loader, found, "import")
        lacking = [n for n in request.names if exports.is_complete and n not in exports.names]
    if not lacking:
        return None
    said = (
        f"{node.path}, line {request.line}, imports {lacking[0]!r} of {found.path}, which"
        " does not export it"
    )
    fix = f"export {lacking[0]} there"
    if kind is ModuleKind.COMMONJS:
        said += " in a form that Node sees before it runs CommonJS"
        fix = f"import the default, and take {lacking[0]} of it"
    return handler_problem("E4", said, fix)


def _lacking_type(node: Node, request: ModuleRequest, found: Node) -> HandlerProblem | None:
    """Report the import of a JSON file that does not say that it is one."""
    if not found.path.endswith(".json") or request.has_type:
        return None
    text = (
        f"{node.path}, line {request.line}, imports {request.name!r} without"
        ' with { type: "json" }'
    )
    fix = 'import it with { type: "json" }, or read it'
    return handler_problem("E4", text, fix, error_type="TypeError")
