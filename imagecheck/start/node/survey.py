"""Finds the modules in ``node_modules`` that are worth parsing.

Others' packages are many, and most are right. So what they may ask for is found without parsing
first, and only where that is not in the image one of them is read in full.
"""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from imagecheck.image.filesystem import Node
from imagecheck.start.node.imports import requests
from imagecheck.start.node.loader import Loader
from imagecheck.start.node.module_kind import TYPESCRIPT, How, has_module_syntax
from imagecheck.start.node.natives import unfit_platform_packages
from imagecheck.start.node.resolve import Missing
from imagecheck.start.node.scan import may_ask
from imagecheck.start.node.sources import package_folder

MAX_PARSED_BYTES: Final = 6 * 1024**2
"""How much is parsed for one image."""
_FINDS_ITS_OWN = re.compile(rb"require\(\s*['\"](?:bindings|node-gyp-build)['\"]\s*\)")
"""What a package says that looks for its native module."""
_ASSERTS = re.compile(rb"\bfrom\s*['\"][^'\"\n]+['\"]\s*assert\s*\{")
_AWAITS = re.compile(
    rb"(?:^|[;}]) ?(?:export\s+)?(?:(?:const|let|var)\s[^=;\n]{1,200}=\s*)?(?:for\s+)?await\b",
    re.MULTILINE,
)
"""What waits in an ES module outside of its functions, as far as that shows without parsing."""
_MAX_MODULES: Final = 2500


@dataclass
class Survey:
    """Goes through all that may be loaded from a module on."""

    loader: Loader
    unseen: list[str] = field(default_factory=list)
    """Clauses for the report: what was not checked."""

    refused: set[str] = field(default_factory=set)
    """ES modules that are required by a Node that requires none, and what else Node refuses."""
    _synchronous: set[str] = field(default_factory=set)
    """ES modules that are required, or that such a one imports."""

    def doubtful_from(self, start: Node) -> set[str]:
        """Return the paths of modules from which something doubtful may be reached."""
        asked_by: dict[str, list[str]] = {start.path: []}
        doubtful: set[str] = set()
        waiting = [start]
        while waiting:
            if len(asked_by) > _MAX_MODULES:
                self.unseen.append(f"all that {start.path} loads: there are too many modules")
                break
            self.loader.context.sources.read_packages_of(waiting)
            following = []
            for node in waiting:
                targets, is_doubtful = self._look_over(node)
                if is_doubtful:
                    doubtful.add(node.path)
                for target in targets:
                    if target.path not in asked_by:
                        asked_by[target.path] = []
                        following.append(target)
                    asked_by[target.path].append(node.path)
            waiting = following
        if self.loader.context.sources.is_exhausted:
            self.unseen.append(f"all that {start.path} loads: there is more code than is read")
        return _reaching(doubtful | self.refused, asked_by)

    def _look_over(self, node: Node) -> tuple[list[Node], bool]:
        """Return what a module may load, and whether something about that is doubtful."""
        self.loader.context.budget.spend(20)
        if node.path.endswith(".node"):
            return [], not node.entry.elf
        if not node.is_readable() or node.path.endswith(".json"):
            return [], not node.is_readable()
        text = self.loader.context.sources.text(node)
        if text is None:
            return [], False
        folder = posixpath.dirname(node.path)
        targets = []
        suspects: set[tuple[str, How]] = set()
        is_doubtful = bool(_FINDS_ITS_OWN.search(text)) or self._is_unfit(node)
        is_doubtful |= b"assert" in text and bool(_ASSERTS.search(text))
        is_doubtful |= node.path in self._synchronous and bool(_AWAITS.search(text))
        for name, how in may_ask(text):
            found = self.loader.resolve(name, folder, how)
            if isinstance(found, Missing):
                suspects.add((name, how))
            elif isinstance(found, Node):
                targets.append(found)
                is_doubtful |= found.path.endswith(".node")
                if self._may_be_refused(node, found, how):
                    self.refused.add(found.path)
        if suspects and package_folder(node.path) and not is_doubtful:
            is_doubtful = self._asks_for_certain(text, suspects)
        return targets, is_doubtful

    def _is_unfit(self, node: Node) -> bool:
        root = package_folder(node.path)
        package = self.loader.context.packages.at(root) if root else None
        if package is None or not package.optional:
            return False
        context = self.loader.context
        return bool(unfit_platform_packages(context.files, package, context.platform))

    def _may_be_refused(self, asking: Node, node: Node, how: How) -> bool:
        if node.path.endswith(TYPESCRIPT):
            return True
        if how != "require" and asking.path not in self._synchronous:
            return False
        package = self.loader.context.packages.scope_of(node.path)
        is_module = node.path.endswith(".mjs") or (
            node.path.endswith(".js") and package is not None and package.type == "module"
        )
        if not is_module or self.loader.context.node.requires_modules is None:
            return False
        self._synchronous.add(node.path)
        return not self.loader.context.node.requires_modules

    def _asks_for_certain(self, text: bytes, suspects: set[tuple[str, How]]) -> bool:
        if self.loader.parsed_bytes > MAX_PARSED_BYTES:
            return False
        root = self.loader.parse(text)
        asked = requests(
            root, text, is_module=has_module_syntax(root, text), budget=self.loader.context.budget
        )
        return any((request.name, request.how) in suspects for request in asked)


def _reaching(goals: Iterable[str], asked_by: dict[str, list[str]]) -> set[str]:
    reaching = set(goals)
    waiting = list(reaching)
    while waiting:
        for path in asked_by.get(waiting.pop(), ()):
            if path not in reaching:
                reaching.add(path)
                waiting.append(path)
    return reaching
