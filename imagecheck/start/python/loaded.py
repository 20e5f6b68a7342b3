"""The modules that are loaded, with who imports them, and the imports that find nothing."""

from dataclasses import dataclass, field

from imagecheck.start.python.code import Code, UnparsedCode
from imagecheck.start.python.import_statements import Import
from imagecheck.start.python.modules import Miss, Module


@dataclass(eq=False)
class Loaded:
    """A module that is loaded."""

    module: Module
    is_own: bool
    """Whether it is of the function, and not of a package that is installed."""
    importers: list[tuple["Loaded | None", Import]] = field(default_factory=list)
    """Who imports it, and by which import; None stands for what is started."""
    text: bytes | None = None
    code: Code | UnparsedCode | SyntaxError | None = None
    imports: tuple[Import, ...] = ()
    certain_imports: frozenset[tuple[str, str]] | None = None
    """What its text imports for certain, once that was asked for."""
    is_certain: bool | None = None
    """Whether it is loaded for certain; None while that is not yet known."""


@dataclass(frozen=True)
class Lost:
    """An import that finds nothing."""

    by: Loaded | None
    what: Import
    miss: Miss | None
    """None where the module is there, and the name is not in it."""
    why: str = ""
