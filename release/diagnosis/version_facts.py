"""The facts of one version: the one that is live, or the one that was refused."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from config.project import Stage
from imagecheck.rule import INVALID_IMAGE
from release.diagnosis.cause import Evidence, Likelihood, seen
from release.diagnosis.facts import FunctionFacts, LogFacts, StackFacts, StageFacts
from release.diagnosis.image_facts import ImageFacts
from release.diagnosis.image_faults import invalid_image
from release.diagnosis.log_lines import SERVER_ERROR, TIMED_OUT, Line
from release.diagnosis.outcome import Answered, Failed, Silent

LIVE = "invocation of live"
HOOK = "pre-traffic hook"
_SERVER_ERROR_STATUS = 500
_TYPE = re.compile(r"([A-Za-z][\w.]*):(?: |$)")
_REPORTS = ("platform.", "INIT_REPORT", "REPORT")


@dataclass(frozen=True)
class Symptom:
    """A failure that was observed."""

    type: str
    message: str
    source: str
    cause: str = ""
    memory_is_full: bool = False
    is_now: bool = False
    """Observed just now, by the invocation or the hook; not in a log."""

    def has(self, *texts: str) -> bool:
        """Whether type, message or logged cause has one of these, in whatever version."""
        said = f"{self.type}: {self.message} {self.cause}".lower()
        return any(text.lower() in said for text in texts)


@dataclass(frozen=True)
class VersionFacts:
    """One version, and the facts of its stage."""

    facts: StageFacts
    is_live: bool
    function: FunctionFacts | None
    image: ImageFacts | None
    symptoms: tuple[Symptom, ...]

    @property
    def works_now(self) -> bool:
        """Whether the invocation has just proved that it works."""
        return self.is_live and self.facts.works_now

    @property
    def is_zip(self) -> bool:
        """Whether it runs a zip; of a version that is gone, whether live does."""
        function = self.function or self.facts.live
        return isinstance(function, FunctionFacts) and function.package == "Zip"

    @property
    def label(self) -> str:
        """Which version it is, in evidence."""
        if self.is_live:
            return "live"
        return f"version {self.function.version}" if self.function else "of the refused version"

    @property
    def stage(self) -> Stage:
        """The stage."""
        return self.facts.stage

    def of_type(self, *types: str) -> tuple[Symptom, ...]:
        """Return the symptoms of these types."""
        return tuple(symptom for symptom in self.symptoms if symptom.type in types)

    def with_(self, match: Callable[[Symptom], bool]) -> tuple[Symptom, ...]:
        """Return the symptoms that match."""
        return tuple(filter(match, self.symptoms))

    def likelihood(self, symptoms: tuple[Symptom, ...]) -> Likelihood:
        """Return how likely a cause is that explains these symptoms."""
        if any(symptom.is_now for symptom in symptoms):
            return "certain"
        # What was seen just now, good or bad, is something else: this may be over.
        is_over = self.works_now or any(symptom.is_now for symptom in self.symptoms)
        return "likely" if symptoms and not is_over else "possible"


def live_version(facts: StageFacts) -> VersionFacts:
    """Return the version that is live."""
    function = facts.live if isinstance(facts.live, FunctionFacts) else None
    version = function.version if function else ""
    symptoms = [*_of_state(function), *_of_invocation(facts), *_of_logs(facts, version)]
    return VersionFacts(facts, True, function, facts.live_image, tuple(symptoms))


def refused_version(facts: StageFacts, version: str) -> VersionFacts:
    """Return the version that the newest deployment brought."""
    function = facts.refused if isinstance(facts.refused, FunctionFacts) else None
    symptoms = list(_of_logs(facts, version)) if version else []
    if facts.hook and facts.hook.status == "Failed":
        symptoms.insert(0, _of_hook(facts.hook.step, facts.hook.found))
    symptoms = [*_of_state(function), *_of_events(facts), *symptoms]
    return VersionFacts(facts, False, function, facts.refused_image, tuple(symptoms))


def evidence_of(symptoms: tuple[Symptom, ...], most: int = 4) -> tuple[Evidence, ...]:
    """Return the symptoms as evidence: equal ones once, with their number.

    Reports that only repeat the type of another line are left out.
    """
    telling = tuple(s for s in symptoms if not s.message.startswith(_REPORTS) or s.memory_is_full)
    symptoms = telling or symptoms
    counted = Counter((_text(symptom), symptom.source.partition(" at ")[0]) for symptom in symptoms)
    shown: dict[tuple[str, str], Evidence] = {}
    for symptom in symptoms:
        key = (_text(symptom), symptom.source.partition(" at ")[0])
        times = f" ({counted[key]} times)" if counted[key] > 1 else ""
        # The last one that is the same is the newest one.
        shown[key] = seen(symptom.source, f"{key[0]}{times}")
    return tuple(shown.values())[:most]


def _text(symptom: Symptom) -> str:
    if symptom.type not in ("", SERVER_ERROR) and symptom.type not in symptom.message:
        return f"{symptom.type}: {symptom.message}" if symptom.message else symptom.type
    return symptom.message


def _of_state(function: FunctionFacts | None) -> Iterator[Symptom]:
    """Yield that Lambda could not unpack the image, which it does after the call that names it."""
    if function and function.state_code == INVALID_IMAGE:
        said = function.state_reason
        yield Symptom(INVALID_IMAGE, said, f"GetFunction, State {function.state}", is_now=True)
    if function and function.update_code == INVALID_IMAGE:
        said = function.update_reason
        source = f"GetFunction, LastUpdateStatus {function.update_status}"
        yield Symptom(INVALID_IMAGE, said, source, is_now=True)


def _of_events(facts: StageFacts) -> Iterator[Symptom]:
    """Yield the same by the events of the stack, which has taken the function's change back."""
    for failure in facts.stack.failures if isinstance(facts.stack, StackFacts) else ():
        if said := invalid_image(failure.reason):
            yield Symptom(INVALID_IMAGE, said, f"event of {failure.logical_id}", is_now=True)


def _of_invocation(facts: StageFacts) -> Iterator[Symptom]:
    match facts.invocation:
        case Failed(type_, message, tail):
            # The newer name of it is in the type; the older one only in the message.
            timed_out = "Task timed out" in message
            yield Symptom(TIMED_OUT if timed_out else type_, message, LIVE, is_now=True)
            yield from (_of_line(line, "log of that invocation", is_now=True) for line in tail)
        case Answered(status, code, tail) if status >= _SERVER_ERROR_STATUS:
            cause = next((line.cause for line in reversed(tail) if line.cause), "")
            said = " ".join(part for part in (f"status {status}", code, cause) if part)
            yield Symptom(SERVER_ERROR, said, LIVE, cause, is_now=True)
            yield from (_of_line(line, "log of that invocation", is_now=True) for line in tail)
        case Silent(seconds):
            said = f"no answer within {seconds:.0f} s"
            yield Symptom(TIMED_OUT, said, LIVE, is_now=True)


def _of_logs(facts: StageFacts, version: str) -> Iterator[Symptom]:
    if not isinstance(facts.logs, LogFacts):
        return
    for line in facts.logs.lines:
        # Lines of other versions tell of what is not live any more, or not yet.
        if not version or not line.version or line.version == version:
            yield _of_line(line, f"log{f' of version {line.version}' if line.version else ''}")


def _of_line(line: Line, source: str, *, is_now: bool = False) -> Symptom:
    when = f" at {line.time}" if line.time else ""
    return Symptom(
        line.error_type, line.message, source + when, line.cause, line.memory_is_full, is_now
    )


def _of_hook(step: str, found: str) -> Symptom:
    """Read what the hook found: ``ERROR TYPE: message``, or how an answer was wrong."""
    named = _TYPE.match(found)
    type_ = named[1] if named else ""
    if "Task timed out" in found or found.startswith("no answer within"):
        type_ = TIMED_OUT
    elif found.startswith("status 5"):
        type_ = SERVER_ERROR
    elif type_.endswith("Exception"):
        # An error of AWS's to the hook, and none of the version's.
        type_ = ""
    return Symptom(type_, f"{step}: {found}" if step else found, HOOK, is_now=True)
