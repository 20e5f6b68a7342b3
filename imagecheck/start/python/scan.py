"""A quick look at the imports of other people's modules, many times faster than a parser.

It may take a line of a text for an import: what follows from it is held against a parser before
anything is said of it.
"""

import re
from collections.abc import Iterator
from typing import Final

from imagecheck.start.python.import_statements import Import
from imagecheck.start.python.modules import Module

_IMPORT = re.compile(
    rb"^(?:from[ \t]+(?P<base>[.\w]+)[ \t]+import[ \t]*"
    rb"(?:\((?P<many>[^)]*)\)|(?P<few>(?:[^\\\n#;(]|\\\r?\n)+))"
    rb"|import[ \t]+(?P<plain>(?:[^\\\n#;]|\\\r?\n)+))",
    re.MULTILINE,
)
_COMMENT = re.compile(rb"#[^\n]*")
MACHINERY: Final = re.compile(
    rb"sys\.(?:path|modules|meta_path)|from\s+sys\s+import|addsitedir|path_hooks|__path__"
    rb"|declare_namespace|extend_path|LazyLoader|lazy_loader|_LazyModule|ModuleType\("
)
"""Code by which a package makes modules of its own at run time."""


def scan(module: Module, text: bytes) -> Iterator[Import]:
    """Yield what the lines without indentation import."""
    package = module.name if module.is_package else module.name.rpartition(".")[0]
    line = 1
    at = 0
    for match in _IMPORT.finditer(text):
        line += text.count(b"\n", at, match.start())
        at = match.start()
        if match["plain"]:
            for name in _names(match["plain"]):
                yield Import(name, line)
            continue
        base = _absolute(match["base"].decode("utf-8", "replace"), package)
        if base is None:
            continue
        yield Import(base, line)
        for name in _names(match["many"] or match["few"] or b""):
            yield Import(base, line, name)


def _names(text: bytes) -> Iterator[str]:
    for part in _COMMENT.sub(b"", text).replace(b"\\", b" ").split(b","):
        words = part.split()
        if words:
            yield words[0].decode("utf-8", "replace")


def _absolute(base: str, package: str) -> str | None:
    name = base.lstrip(".")
    level = len(base) - len(name)
    if not level:
        return name
    parents = package.split(".") if package else []
    if level > len(parents):
        return None
    kept = ".".join(parents[: len(parents) - level + 1])
    return f"{kept}.{name}" if name else kept
