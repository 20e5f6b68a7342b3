"""The Markdown files of the repository, and what GitHub makes of them."""

import re
import subprocess
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path, PurePosixPath

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tests.support.cdk_context import ROOT

REPOSITORY = "https://github.com/hima-five-bomber/rooms/"
_KEPT = {"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "Pc"}


@cache
def tracked() -> Mapping[str, None]:
    """Return the paths of all files, in order; those too that are not committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return dict.fromkeys(sorted(name for name in listed.split("\0") if (ROOT / name).is_file()))


@dataclass(frozen=True)
class Document:
    """A Markdown file; ``name`` is its path in the repository."""

    name: str
    text: str

    @cached_property
    def tokens(self) -> list[Token]:
        return MarkdownIt("commonmark").enable("table").parse(self.text)

    @cached_property
    def anchors(self) -> frozenset[str]:
        """What may stand behind ``#`` in an address of this file."""
        return frozenset(anchors(self.headings()))

    def headings(self) -> Iterator[str]:
        for number, token in enumerate(self.tokens):
            if token.type == "heading_open":
                yield "".join(
                    child.content
                    for child in self.tokens[number + 1].children or []
                    if child.type in {"text", "code_inline"}
                )

    def links(self) -> Iterator[str]:
        """Addresses of links, of pictures, and of those written in HTML."""
        for token in self.tokens:
            for one in [token, *(token.children or [])]:
                if one.type in {"link_open", "image"}:
                    yield str(one.attrGet("href") or one.attrGet("src"))
                elif one.type in {"html_block", "html_inline"}:
                    yield from re.findall(r'(?:href|src|srcset)="([^"]+)"', one.content)

    def code(self) -> Iterator[str]:
        """Code spans, and the lines of fenced blocks, continued lines as one."""
        for token in self.tokens:
            for one in [token, *(token.children or [])]:
                if one.type == "code_inline":
                    yield one.content
                elif one.type == "fence":
                    yield from one.content.replace("\\\n", " ").splitlines()

    def blocks(self, language: str) -> list[str]:
        """Return the contents of the fenced blocks of a language."""
        return [
            token.content
            for token in self.tokens
            if token.type == "fence" and token.info.strip() == language
        ]


@cache
def document(name: str) -> Document:
    """Read one."""
    return Document(name, (ROOT / name).read_text(encoding="utf-8"))


@cache
def folders() -> frozenset[str]:
    """Return the folders that have a tracked file."""
    return frozenset(
        folder
        for name in tracked()
        for folder in accumulate(PurePosixPath(name).parent.parts, lambda one, two: f"{one}/{two}")
    )


@cache
def documents() -> tuple[Document, ...]:
    """Return every Markdown file of the repository."""
    return tuple(document(name) for name in tracked() if name.endswith(".md"))


def anchors(headings: Iterator[str]) -> Iterator[str]:
    """Yield GitHub's anchors of headings; a repeated one is numbered."""
    seen = Counter[str]()
    for heading in headings:
        anchor = "".join(
            character
            for character in heading.strip().lower()
            if character in " -" or unicodedata.category(character) in _KEPT
        ).replace(" ", "-")
        yield f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor
        seen[anchor] += 1


def resolve(page: str, link: str) -> tuple[Path, str]:
    """Return the file and the anchor that a link of a page leads to, in this repository."""
    path, _, anchor = link.partition("#")
    if not path:
        return ROOT / page, anchor
    return ((ROOT / page).parent / path).resolve(), anchor
