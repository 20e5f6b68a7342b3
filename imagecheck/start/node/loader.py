"""Reads and parses modules of an image, and resolves what they ask for."""

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field

from tree_sitter import Node as Tree

from imagecheck.budget import Budget
from imagecheck.image.filesystem import FileSystem, Node
from imagecheck.start.node.module_kind import How, ModuleKind, Refused, has_module_syntax, kind_of
from imagecheck.start.node.natives import NodePlatform
from imagecheck.start.node.package_json import Packages
from imagecheck.start.node.parse import parse
from imagecheck.start.node.resolve import Resolution, Resolver
from imagecheck.start.node.sources import Sources
from imagecheck.start.node.version import NodeRuntime


@dataclass(frozen=True)
class NodeContext:
    """What modules are found and read with."""

    files: FileSystem
    sources: Sources
    packages: Packages
    resolver: Resolver
    node: NodeRuntime
    platform: NodePlatform
    budget: Budget
    workdir: str = "/"
    environment: Mapping[str, str] = field(default_factory=dict)
    has_sdk: bool = False
    """Whether AWS's base has its SDK for the function, although this image does not show it."""


@dataclass
class Loader:
    """Knows of each module that was parsed, as what it is loaded."""

    context: NodeContext
    parsed_bytes: int = 0
    _trees: dict[str, Tree] = field(default_factory=dict)
    _kinds: dict[str, tuple[Tree | None, ModuleKind | Refused]] = field(default_factory=dict)

    def parse(self, text: bytes) -> Tree:
        """Parse a text. Raises ImageReadError when that takes too many steps."""
        self.parsed_bytes += len(text)
        return parse(text, self.context.budget).root_node

    def kind(self, node: Node, how: How) -> tuple[Tree | None, ModuleKind | Refused]:
        """Return the syntax tree of a module, if it was read, and as what it is loaded."""
        key = f"{how} {node.path}"
        if key not in self._kinds:
            self._kinds[key] = self._kind(node, how)
        return self._kinds[key]

    def _kind(self, node: Node, how: How) -> tuple[Tree | None, ModuleKind | Refused]:
        context = self.context
        package = context.packages.scope_of(node.path)
        type_ = package.type if package else ""
        text = context.sources.text(node)
        if posixpath.splitext(node.path)[1] in {".json", ".node"} or text is None:
            return None, kind_of(node.path, type_, how, context.node, has_syntax=False)
        if node.path not in self._trees:
            self._trees[node.path] = self.parse(text)
        root = self._trees[node.path]
        has_syntax = has_module_syntax(root, text)
        return root, kind_of(node.path, type_, how, context.node, has_syntax=has_syntax)

    def resolve(self, name: str, folder: str, how: How) -> Resolution:
        """Find a module as Node does."""
        resolver = self.context.resolver
        if how == "require":
            return resolver.require(name, folder)
        return resolver.import_(name, folder)
