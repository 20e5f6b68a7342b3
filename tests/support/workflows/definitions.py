"""Reads ``.github/workflows``, for tests that compare it with the rest of the repository."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from tests.support.cdk_context import ROOT

CREDENTIALS: Final = "aws-actions/configure-aws-credentials"
DEPLOY_STAGE: Final = "./.github/workflows/deploy-stage.yml"
_RELEASE: Final = re.compile(r"(?:exec )?\.venv/bin/python -m release (?P<command>\S+)(?: .*)?")


@dataclass(frozen=True)
class Step:
    """A step, as it is written."""

    definition: Mapping[str, Any]

    @property
    def run(self) -> str:
        """Its line; empty where it is an action."""
        return str(self.definition.get("run", ""))

    @property
    def action(self) -> str:
        """The action without its version; empty where it is a line."""
        return str(self.definition.get("uses", "")).partition("@")[0]

    @property
    def command(self) -> str:
        """The command of ``release`` that it runs; empty where it runs none."""
        found = _RELEASE.fullmatch(self.run)
        return found["command"] if found else ""

    @property
    def given(self) -> Mapping[str, Any]:
        """What an action is given."""
        given: Mapping[str, Any] = self.definition.get("with", {})
        return given


@dataclass(frozen=True)
class Job:
    """A job, as it is written."""

    workflow: "Workflow"
    name: str
    definition: Mapping[str, Any] = field(repr=False)

    @property
    def steps(self) -> Sequence[Step]:
        """Its steps; none where it calls a workflow."""
        return [Step(step) for step in self.definition.get("steps", [])]

    @property
    def commands(self) -> Sequence[str]:
        """The commands of ``release`` that it runs."""
        return [step.command for step in self.steps if step.command]

    @property
    def calls(self) -> "Workflow | None":
        """The workflow that it calls."""
        if "uses" not in self.definition:
            return None
        return next(flow for flow in WORKFLOWS if flow.path == self.definition["uses"])

    @property
    def needs(self) -> Sequence[str]:
        """The jobs that it waits for by name."""
        needs = self.definition.get("needs", [])
        return [needs] if isinstance(needs, str) else needs

    def using(self, action: str) -> Sequence[Step]:
        """Return its steps with an action."""
        return [step for step in self.steps if step.action == action]

    def before(self) -> Sequence["Job"]:
        """Return all jobs that have ended when it starts."""
        direct = [self.workflow.job(name) for name in self.needs]
        return [*direct, *(job for need in direct for job in need.before())]

    def __str__(self) -> str:
        return f"{self.workflow}-{self.name}"


@dataclass(frozen=True)
class Workflow:
    """A workflow, as it is written."""

    name: str
    text: str = field(repr=False)
    definition: Mapping[Any, Any] = field(repr=False)

    @property
    def path(self) -> str:
        """What a job calls it by."""
        return f"./.github/workflows/{self.name}.yml"

    @property
    def events(self) -> Mapping[str, Any]:
        """What starts it: YAML takes the word ``on`` for true."""
        events: Mapping[str, Any] = self.definition[True]
        return events

    @property
    def jobs(self) -> Sequence[Job]:
        """Its jobs, in their order."""
        return [Job(self, name, job) for name, job in self.definition["jobs"].items()]

    def job(self, name: str) -> Job:
        """Return the job of this name."""
        return Job(self, name, self.definition["jobs"][name])

    def __str__(self) -> str:
        return self.name


def workflow(name: str) -> Workflow:
    """Return the workflow of this name."""
    return next(flow for flow in WORKFLOWS if flow.name == name)


def strings(value: Any) -> Iterator[str]:
    """Yield every text in a definition, the names of its fields too."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    else:
        yield str(value)


def _read() -> Iterator[Workflow]:
    for file in sorted((ROOT / ".github/workflows").iterdir()):
        text = file.read_text(encoding="utf-8")
        yield Workflow(file.stem, text, yaml.safe_load(text))


WORKFLOWS: Final = tuple(_read())
JOBS: Final = tuple(job for flow in WORKFLOWS for job in flow.jobs)
STEPS: Final = tuple((job, step) for job in JOBS for step in job.steps)
