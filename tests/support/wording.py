"""Compares quotations of documents with the sources: their words, in the sources' order.

Most of what the runbook quotes comes from AWS, and cannot be produced in a moment. But every
sentence in it is written in the sources, in pieces with something filled in between. Two words that
follow each other in a quotation have to do so in a string of the sources, too, or to be at the edge
of what is filled in.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

from tests.support.cdk_context import ROOT
from tests.support.documents import tracked
from tests.support.strings import strings_of

FILLED_IN = "\0"
_ROOMS = ("app.py", "config/", "constructs/", "contract/", "imagecheck/", "lambda_src/", "release/")
_WORD = re.compile(rf"{FILLED_IN}|[^\W\d_]+(?:['’-][^\W\d_]+)*")


# What differs from case to case: names, numbers, digests, paths, addresses, what is in quotes.
_VALUE = re.compile(
    r"\S*[\d/_…<]\S*|\b[A-Z]{2,}\b|\b(?:dev|prd|STAGE)\b|hima-five-bomber\S*|rooms\.\S+"
    r"|'[^']+'|\"[^\"]+\""
)


@dataclass(frozen=True)
class Wording:
    """Pairs of words that follow each other; ``FILLED_IN`` is what is not known before."""

    pairs: frozenset[tuple[str, str]] = field(repr=False)

    def lacks(self, sentence: str) -> Iterator[str]:
        """Yield the pairs of words of a sentence that are nowhere."""
        for one, two in pairwise(words(_VALUE.sub(FILLED_IN, sentence))):
            known = FILLED_IN in (one, two) or (one, two) in self.pairs
            if not known and not (
                (one, FILLED_IN) in self.pairs and (FILLED_IN, two) in self.pairs
            ):
                yield f"{one} {two}"


def words(text: str) -> list[str]:
    """Return the words of a text, in lower case, and where something is filled in."""
    return [word.lower() for word in _WORD.findall(text)]


@cache
def wording() -> Wording:
    """Return that of all strings of the sources."""
    pairs = {pair for text in _strings() for pair in pairwise([FILLED_IN, *words(text), FILLED_IN])}
    return Wording(frozenset(pairs))


def _strings() -> Iterator[str]:
    for name in tracked():
        if name.startswith(_ROOMS) and name.endswith(".py"):
            tree = ast.parse((ROOT / name).read_text(encoding="utf-8"))
            yield from _of_tree(tree)


def _of_tree(tree: ast.AST) -> Iterator[str]:
    # Docstrings say nothing to users.
    docstrings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for text in strings_of(tree, FILLED_IN, but=docstrings):
        yield re.sub(r"\{\w*\}", FILLED_IN, text)
