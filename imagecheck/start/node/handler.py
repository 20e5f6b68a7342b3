"""Judges a handler of Node: what AWS's runtime client does with its name.

https://github.com/aws/aws-lambda-nodejs-runtime-interface-client
"""

import posixpath
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from imagecheck.image.filesystem import Node
from imagecheck.start.handler import Handler
from imagecheck.start.handler_problem import HandlerProblem, handler_problem
from imagecheck.start.node.client import (
    Client,
    Found,
    NodeModules,
    NotFound,
    client_of,
    find_module,
    lacking_native_part,
    needs_handler_variable,
)
from imagecheck.start.node.exported_function import fault_of_function
from imagecheck.start.node.graph import Walk, softened
from imagecheck.start.node.loader import Loader, NodeContext
from imagecheck.start.node.node_context import node_context_of
from imagecheck.start.node.preload import missing_preloads

if TYPE_CHECKING:
    from imagecheck.subject import Subject

_WRAPPERS: Final = {
    "datadog-lambda-js": "DD_LAMBDA_HANDLER",
    "newrelic-lambda-wrapper": "NEW_RELIC_LAMBDA_HANDLER",
    "newrelic-esm-lambda-wrapper": "NEW_RELIC_LAMBDA_HANDLER",
}
"""Handlers of vendors, and the variable that names the handler that they load in their turn."""
_GENERATIONS: Final = (3, 4)


def node_handler(subject: "Subject", handler: Handler) -> Iterator[HandlerProblem | Node | str]:
    """Judge a handler such as ``dist/index.handler``, and the one that it wraps."""
    if handler.language != "node" or subject.files is None:
        return
    yield from _one(subject, handler)
    environment = handler.process.environment
    for package, variable in _WRAPPERS.items():
        wrapped = environment.get(variable)
        if wrapped and package in handler.name.replace(".", "/").split("/"):
            # Their loaders are copies of that of the third generation, in LAMBDA_TASK_ROOT.
            yield from _one(subject, replace(handler, name=wrapped, named_by=variable))


def _sets_handler(subject: "Subject", handler: Handler) -> bool:
    """Whether CMD, or a script on the way to the client, says what _HANDLER is."""
    of_the_image = subject.start.environment.get("_HANDLER")
    return bool(subject.start.command) or (
        handler.process.environment.get("_HANDLER") != of_the_image
    )


def _one(subject: "Subject", handler: Handler) -> Iterator[HandlerProblem | Node | str]:
    name, by = handler.name, handler.named_by
    base = posixpath.basename(name)
    if ".." in name or "." not in base:
        found = f"the handler {name!r} in {by} is not file.function, and may not have '..' in it"
        yield handler_problem(
            "E1", found, f'name the handler as file.function: {by} ["index.handler"]'
        )
        return
    context = node_context_of(subject, handler)
    client = client_of(handler, context.files, context.sources)
    if by != "CMD":
        client = replace(client, generation=None)
    if not _sets_handler(subject, handler) and needs_handler_variable(client, context.sources):
        found = (
            f"the runtime client takes the handler's name from _HANDLER, and not {name!r} from its"
            " arguments: Lambda sets that to CMD, and there is none; exit status 1"
        )
        fix = f'name it in CMD, and not in ENTRYPOINT: CMD ["{name}"]'
        yield handler_problem("E1", found, fix, error_type="Runtime.ExitError")
        return
    if native := lacking_native_part(client, context.files, context.sources):
        found = f"there is no {native}: the runtime client ends before its first request"
        fix = "install aws-lambda-ric in the image without --ignore-scripts, or copy it with it"
        yield handler_problem("E2", f"{found}; exit status 1", fix, error_type="Runtime.ExitError")
        return
    loader = Loader(context)
    walk = Walk(loader)
    is_on_aws_base = handler.is_on_aws_base
    lacking = list(missing_preloads(walk, handler.process, is_on_aws_base=is_on_aws_base))
    yield from lacking
    if lacking:
        return
    modules = _modules(context, client, name)
    if isinstance(modules, HandlerProblem | str):
        yield modules
        return
    walk.from_module(modules.node, modules.how)
    has_hooks = walk.has_hooks or context.node.has_hooks
    yield from (softened(p) if has_hooks and p.rule == "E2" else p for p in walk.problems)
    yield from walk.loaded
    yield from dict.fromkeys(walk.unseen)
    if walk.problems:
        return
    function = base.partition(".")[2]
    if fault := fault_of_function(loader, modules, function, client.generation):
        found, error_type = fault
        yield handler_problem("E3", found, _fix_of(error_type, function, by), error_type=error_type)


def _fix_of(error_type: str, function: str, named_by: str) -> str:
    if error_type == "Runtime.CallbackHandlerDeprecated":
        return "make it an async function of (event, context) that returns its answer"
    return f"export {function} there, or correct the handler in {named_by}"


def _modules(context: NodeContext, client: Client, name: str) -> Found | HandlerProblem | str:
    """Find the handler's module; where the client is not known, as any of them does."""
    roots = [client.root, *([client.other_root] if client.other_root else [])]
    generations = [client.generation] if client.generation else list(_GENERATIONS)
    failures: list[NotFound] = []
    for root in dict.fromkeys(roots):
        for generation in generations:
            found = find_module(
                4 if generation == 4 else 3,  # noqa: PLR2004  (the fourth generation)
                root,
                name,
                NodeModules(context.files, context.packages, context.resolver),
            )
            if isinstance(found, Found):
                return found
            if found is None:
                return f"the handler {name}: how its module is found depends on more than is known"
            failures.append(found)
    return _no_module(context, name, failures[0], roots)


def _no_module(
    context: NodeContext, name: str, failure: NotFound, roots: list[str]
) -> HandlerProblem:
    fix = "COPY it into the image, or correct the handler in CMD"
    folder, base = posixpath.split(name)
    stem = base.partition(".")[0]
    text = failure.text
    for root in roots:
        for ending in (".ts", ".mts", ".cts", ".tsx"):
            path = posixpath.normpath(posixpath.join(root, folder, stem) + ending)
            if context.files.find(path):
                text = f"{text}; {path} is TypeScript, which the client does not look for"
                fix = "compile it in the image, and let CMD name the JavaScript file"
    return handler_problem("E2", text, fix, error_type=failure.error_type)
