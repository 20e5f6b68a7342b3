"""Walks through the modules that are loaded for certain, from the handler's on."""

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tree_sitter import Node as Tree

from imagecheck.image.filesystem import Node
from imagecheck.image.layer import FileKind
from imagecheck.start.handler_problem import HandlerProblem, handler_problem
from imagecheck.start.node.file_reads import reads
from imagecheck.start.node.finders import finds_its_own, has_no_addon
from imagecheck.start.node.import_problems import COPY_FIX, missing_module, unfit_import
from imagecheck.start.node.imports import requests, top_level_await
from imagecheck.start.node.json_text import json_fault
from imagecheck.start.node.loader import Loader
from imagecheck.start.node.module_kind import (
    TYPESCRIPT,
    How,
    ModuleKind,
    Refused,
    has_module_syntax,
)
from imagecheck.start.node.natives import unfit_platform_packages
from imagecheck.start.node.references import commonjs_reference
from imagecheck.start.node.resolve import Missing, refusal_of
from imagecheck.start.node.sources import package_folder
from imagecheck.start.node.static_paths import ModuleContext
from imagecheck.start.node.survey import MAX_PARSED_BYTES, Survey
from imagecheck.start.node.syntax import fault_of_version, syntax_fault

_HOOKS = re.compile(
    rb"_resolveFilename\s*=|_nodeModulePaths\s*=|_initPaths\(|registerHooks\("
    rb"|module\.paths\.(?:push|unshift)|Module\._load\s*=|prototype\.require\s*="
    rb"|globalPaths\.(?:push|unshift)|\bregister\(\s*['\"][^'\"]+['\"]\s*,\s*(?:import\.meta|pathTo)"
)
"""What a module says that changes how others are found."""
_WORDS_OF_HOOKS = (
    b"_resolveFilename", b"_nodeModulePaths", b"_initPaths", b"registerHooks", b"module.paths",
    b"Module._load", b"prototype.require", b"globalPaths", b"register(",
)  # fmt: skip
"""One of these is in each: looking for words is many times faster."""
_PASSING_HOOKS = ("require-in-the-middle", "import-in-the-middle", "dd-trace", "newrelic")
"""Packages that do that and find all that would be found without them."""
_BUILD = (
    "let its install script run in the image's build: npm ci without --ignore-scripts; with pnpm,"
    " name it in onlyBuiltDependencies"
)


@dataclass
class Walk:
    """What is found on the way."""

    loader: Loader
    problems: list[HandlerProblem] = field(default_factory=list)
    loaded: list[Node] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)
    """Clauses for the report: what was not checked."""
    has_hooks: bool = False
    _synchronous: set[str] = field(default_factory=set)
    """ES modules that are required, or that such a one imports: they may not wait for anything."""

    def from_module(self, start: Node, how: How) -> None:
        """Walk from a module that is loaded in one way or the other."""
        survey = Survey(self.loader, self.unseen)
        worth = survey.doubtful_from(start)
        seen = {start.path}
        waiting: list[tuple[Node, How]] = [(start, how)]
        while waiting:
            self.loader.context.sources.read(node for node, _ in waiting)
            following: list[tuple[Node, How]] = []
            for node, asked in waiting:
                for target, request in self._load(node, asked, worth):
                    if target.path not in seen:
                        seen.add(target.path)
                        following.append((target, request))
            waiting = following

    def _load(self, node: Node, how: How, worth: set[str]) -> Iterator[tuple[Node, How]]:
        """Look at one module, and go through those that it loads."""
        self.loaded.append(node)
        if not self._is_read(node, how, worth):
            return
        root, kind = self.loader.kind(node, how)
        if kind is ModuleKind.MODULE and how == "require":
            self._synchronous.add(node.path)
        text = self.loader.context.sources.text(node)
        if isinstance(kind, Refused):
            if not self._has_loaders():
                found = f"{node.path} {kind.text}"
                self._note(handler_problem("E4", found, kind.fix, error_type=kind.error_type))
        elif kind is ModuleKind.JSON and text is not None:
            if fault := json_fault(text):
                self._note(
                    handler_problem("E4", f"{node.path} is not valid JSON: {fault}", "correct it")
                )
        elif node.path.endswith(TYPESCRIPT):
            self.unseen.append(f"what {node.path} loads: it is TypeScript")
        elif root is None or text is None:
            return
        elif not self._is_refused_for_its_text(node, root, text, kind):
            self._note_hooks(node, text)
            yield from self._followed(node, root, text, kind)
            self._native_part(node, root, text)

    def _has_loaders(self) -> bool:
        """Whether something may load what Node itself does not."""
        return self.has_hooks or self.loader.context.node.has_hooks

    def _note(self, problem: HandlerProblem) -> None:
        """Keep a problem: one is enough of what several modules of a package have in common."""
        if problem not in self.problems:
            self.problems.append(problem)

    def _is_read(self, node: Node, how: How, worth: set[str]) -> bool:
        """Whether a module is looked into."""
        is_own = not package_folder(node.path)
        if node.kind is not FileKind.FILE or not node.is_readable():
            return False
        if node.path.endswith(".node"):
            return True
        if self.loader.context.sources.text(node) is None:
            self.unseen.append(f"{node.path}: it is larger than what is read of a file")
            return False
        if not (is_own or node.path in worth):
            return False
        if self.loader.parsed_bytes > MAX_PARSED_BYTES:
            self.unseen.append(f"what {node.path} loads: there is more code than is read")
            return False
        return not (is_own and self._has_broken_package(node, how))

    def _has_broken_package(self, node: Node, how: How) -> bool:
        package = self.loader.context.packages.scope_of(node.path)
        if not package or not node.path.endswith(".js"):
            return False
        error_type = refusal_of(package, how, self.loader.context.node)
        if not error_type:
            return False
        found = f"{posixpath.join(package.folder, 'package.json')} is not valid JSON"
        self._note(handler_problem("E4", found, "correct it", error_type=error_type))
        return True

    def _is_refused_for_its_text(
        self, node: Node, root: Tree, text: bytes, kind: ModuleKind
    ) -> bool:
        is_own = not package_folder(node.path)
        budget = self.loader.context.budget
        has_syntax = has_module_syntax(root, text)
        fix = 'set "type" in package.json, or name it .mjs or .cjs'
        if kind is ModuleKind.UNSURE:
            if is_own and has_syntax:
                found = (
                    f"{node.path} has the syntax of an ES module, and only a Node that detects"
                    " that, or a package.json that says so, takes it for one"
                )
                self._note(handler_problem("E4", found, fix, severity="warning"))
            return True
        if kind is ModuleKind.COMMONJS and has_syntax:
            found = (
                f"{node.path} is loaded as CommonJS, and has the import, export or await of an ES"
                " module"
            )
            self._note(handler_problem("E4", found, fix))
            return True
        if self._is_refused_by_this_node(node, root, text, kind):
            return True
        if kind is ModuleKind.MODULE and (reference := commonjs_reference(root, text, budget)):
            word, line = reference
            found = (
                f"{node.path} is loaded as an ES module, which has no {word!r}: line {line} fails"
            )
            self._note(handler_problem("E4", found, fix, error_type="ReferenceError"))
            return True
        return is_own and self._has_syntax_fault(node, root, text, kind)

    def _is_refused_by_this_node(
        self, node: Node, root: Tree, text: bytes, kind: ModuleKind
    ) -> bool:
        """Whether another Node, or another way to load it, would take a module."""
        context = self.loader.context
        is_synchronous = kind is ModuleKind.MODULE and node.path in self._synchronous
        if is_synchronous and b"await" in text and (line := top_level_await(root, context.budget)):
            found = f"{node.path} is required, and line {line} awaits outside of a function"
            fix = "load it with import, or put what it awaits into a function"
            self._note(handler_problem("E4", found, fix, error_type="Error"))
            return True
        fault = fault_of_version(root, text, context.node.version)
        if fault:
            self._note(
                handler_problem("E4", f"{node.path}: {fault}", "compile it for the image's Node")
            )
        return bool(fault)

    def _has_syntax_fault(self, node: Node, root: Tree, text: bytes, kind: ModuleKind) -> bool:
        package = self.loader.context.packages.scope_of(node.path)
        is_plain = node.path.endswith(".js") and not (package and package.type)
        fault = syntax_fault(
            root,
            text,
            self.loader.context.budget,
            is_module=kind is ModuleKind.MODULE,
            may_be_module=is_plain and self.loader.context.node.detects_modules is not False,
        )
        if fault:
            self._note(handler_problem("E4", f"{node.path}: {fault}", "correct the file"))
        return bool(fault)

    def _note_hooks(self, node: Node, text: bytes) -> None:
        passing = any(f"/node_modules/{name}/" in node.path for name in _PASSING_HOOKS)
        has_word = any(word in text for word in _WORDS_OF_HOOKS)
        if not passing and has_word and _HOOKS.search(text):
            self.has_hooks = True

    def _followed(
        self, node: Node, root: Tree, text: bytes, kind: ModuleKind
    ) -> Iterator[tuple[Node, How]]:
        folder = posixpath.dirname(node.path)
        is_module = kind is ModuleKind.MODULE
        context = self.loader.context
        is_own = not package_folder(node.path)
        place = ModuleContext(folder, context.workdir, context.environment) if is_own else None
        asked = requests(root, text, is_module=is_module, budget=context.budget, place=place)
        for request in asked:
            found = self.loader.resolve(request.name, folder, request.how)
            if isinstance(found, Missing):
                problem = missing_module(self.loader, node, request, found)
                if problem:
                    self._note(problem)
            elif isinstance(found, Node) and request.is_loaded:
                problem = unfit_import(self.loader, node, request, found)
                if problem:
                    self._note(problem)
                else:
                    if is_module and node.path in self._synchronous:
                        self._synchronous.add(found.path)
                    yield found, request.how
        if place and not self.problems:
            self._files(node, root, text, place)

    def _files(self, node: Node, root: Tree, text: bytes, place: ModuleContext) -> None:
        """Look for the files that a module reads while it loads."""
        context = self.loader.context
        for read in reads(root, text, place, context.budget):
            found = context.files.find(read.path)
            if found:
                self.loaded.append(found)
                continue
            said = (
                f"{node.path}, line {read.line}, reads {read.path} while it loads (ENOENT): that is"
                " not in the image"
            )
            self._note(handler_problem("E2", said, COPY_FIX, error_type="Error"))

    def _native_part(self, node: Node, root: Tree, text: bytes) -> None:
        """Look for the native part of the package that a module is of."""
        context = self.loader.context
        package = context.packages.scope_of(node.path)
        if package is None:
            return
        why = unfit_platform_packages(context.files, package, context.platform)
        if why and package_folder(node.path):
            fix = f"install it for the function: npm ci --os=linux --cpu={context.platform.cpu}"
            self._note(handler_problem("E2", why, fix, error_type="Error"))
        folder = package_folder(node.path)
        if (
            folder
            and finds_its_own(root, text, context.budget)
            and has_no_addon(context.files, folder)
        ):
            found = f"{folder} looks for its native part while it loads, and none was built"
            self._note(handler_problem("E2", found, _BUILD, error_type="Error"))


def softened(problem: HandlerProblem) -> HandlerProblem:
    """Make a warning of a module that is missing where something may find it all the same."""
    text = problem.problem
    found = f"{text.found} (unless what is loaded before changes how modules are found)"
    return handler_problem(problem.rule, found, text.fix, severity="warning")
