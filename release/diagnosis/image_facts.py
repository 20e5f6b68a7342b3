"""The facts of an image, as `check` reads it."""

from dataclasses import dataclass

from imagecheck.finding import Finding


@dataclass(frozen=True)
class NativeModule:
    """A file of the image that is a native module of Python's, and what it is for."""

    path: str
    kind: str


@dataclass(frozen=True)
class ImageFacts:
    """What `check` says of an image, for the function as it is configured."""

    reference: str
    findings: tuple[Finding, ...]
    """Those of the image itself: they are there with and without the function's override."""
    starts: tuple[str, ...] = ()
    by_override: tuple[Finding, ...] = ()
    """Those that only the function's override makes."""
    native: tuple[NativeModule, ...] | None = None
    """Those of packages; None: they were not looked for."""

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that stop it."""
        return tuple(finding for finding in self.findings if finding.severity == "error")

    @property
    def digest(self) -> str:
        """Which image it is."""
        return self.reference.partition("@")[2]
