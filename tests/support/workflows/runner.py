"""Runs workflows on this machine as GitHub does: jobs in the order of their needs, steps in theirs.

What a step says after ``run`` is really run, by bash, as GitHub runs it:
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
What only GitHub has is stood in for by ``Stands``; an action, or a line, that neither has is an
error.
"""

import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import yaml

from tests.support.release.github_server import REPOSITORY
from tests.support.workflows.expressions import Expressions, Status

Outcome = Literal["success", "failure", "skipped", "cancelled"]

# What GitHub's runner waits between the signals of a cancelled job, in seconds:
# https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation
INTERRUPTED_SECONDS: Final = 7.5
TERMINATED_SECONDS: Final = 2.5


@dataclass(frozen=True, kw_only=True)
class Event:
    """What started a workflow. ``payload`` is ``github.event``; ``sha`` is checked out."""

    name: str
    ref: str
    sha: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Job:
    """A job while it runs."""

    name: str
    definition: Mapping[str, Any]
    event: Event
    inputs: Mapping[str, Any]
    workspace: Path
    temporary: Path
    environment: str | None
    variables: Mapping[str, str]
    matrix: Mapping[str, Any]
    needs: Mapping[str, Any]
    exported: dict[str, str] = field(default_factory=dict)
    """Variables that an action sets for the steps after it."""
    cancelled: bool = False

    @property
    def permissions(self) -> Mapping[str, str]:
        """Of its token."""
        granted: Mapping[str, str] = self.definition.get("permissions", {})
        return granted


@dataclass(frozen=True)
class Step:
    """A step that has ended, or was skipped; ``said`` is what it printed."""

    job: str
    does: str
    outcome: Outcome
    said: str = ""


@dataclass
class Run:
    """A workflow that has ended."""

    steps: list[Step] = field(default_factory=list)
    results: dict[str, Outcome] = field(default_factory=dict)

    @property
    def succeeded(self) -> bool:
        """Whether it is green."""
        return all(result in {"success", "skipped"} for result in self.results.values())

    def done(self, job: str) -> list[str]:
        """Return what a job did, up to its end."""
        return [step.does for step in self.steps if step.job == job and step.outcome != "skipped"]

    def failed(self) -> list[str]:
        """Return what failed."""
        return [step.does for step in self.steps if step.outcome == "failure"]

    def said(self, does: str) -> str:
        """Return what the last step printed whose line begins like this."""
        return next(
            step.said
            for step in reversed(self.steps)
            if step.outcome != "skipped" and step.does.startswith(does)
        )


@dataclass(frozen=True)
class _Call:
    """A workflow that is to run: by itself, or called by a job, whose name is in ``prefix``."""

    workflow: str
    event: Event
    inputs: Mapping[str, Any]
    prefix: str
    run: Run


class Stands(Protocol):
    """Stands in for what only GitHub has."""

    def action(self, name: str, arguments: Mapping[str, str], job: Job) -> None:
        """Do what an action does, named without its version. Raises StandInError: it fails."""

    def line(self, line: str, job: Job) -> bool:
        """Do what a line does that is not to be run here; False: it is to be run."""

    def variables(self, environment: str | None) -> Mapping[str, str]:
        """Return ``vars`` of a job: the repository's, and its environment's."""

    def token(self, job: Job) -> str:
        """Return ``github.token`` of a job."""

    def process_environment(self, job: Job) -> Mapping[str, str]:
        """Return the variables that every step has."""


class StandInError(Exception):
    """An action fails, as GitHub's would."""


class Runner:
    """Runs the workflows of a checkout in ``source``. Everything is below ``folder``."""

    def __init__(
        self, source: Path, folder: Path, stands: Stands, expressions: Expressions
    ) -> None:
        self._source = source
        self._folder = folder
        self._stands = stands
        self._expressions = expressions
        self._runs = 0
        self.cancel_when: Callable[[Job, str], Callable[[], object] | None] = lambda _, __: None
        """Asked before each line; what it returns waits until the run is to be cancelled."""

    def run(self, workflow: str, event: Event) -> Run:
        """Run a workflow to its end."""
        self._runs += 1
        run = Run()
        self._workflow(_Call(workflow, event, event.inputs, "", run))
        return run

    def _workflow(self, call: _Call) -> Outcome:
        text = (self._source / call.workflow).read_text(encoding="utf-8")
        jobs: dict[str, dict[str, Any]] = yaml.safe_load(text)["jobs"]
        results: dict[str, Outcome] = {}
        for name in _in_order(jobs):
            definition = jobs[name]
            needs = {need: {"result": results[need]} for need in _needs(definition)}
            before = {results[each] for each in _before(jobs, name)}
            status = Status(
                failed="failure" in before,
                cancelled="cancelled" in call.run.results.values(),
                skipped="skipped" in before,
            )
            contexts = self._contexts(call, needs)
            if not self._expressions.holds(definition.get("if"), contexts, status):
                results[name] = call.run.results[call.prefix + name] = "skipped"
                continue
            ended: list[Outcome] = []
            for label, matrix in _matrix(name, definition):
                result = self._job(call, call.prefix + label, definition, needs, matrix)
                call.run.results[call.prefix + label] = result
                ended.append(result)
            results[name] = _together(ended)
        return _together(results.values())

    def _job(
        self,
        call: _Call,
        name: str,
        definition: Mapping[str, Any],
        needs: Mapping[str, Any],
        matrix: Mapping[str, Any],
    ) -> Outcome:
        contexts = {**self._contexts(call, needs), "matrix": matrix}
        if uses := definition.get("uses"):
            given = self._evaluated(definition.get("with", {}), contexts)
            called = _Call(uses.removeprefix("./"), call.event, given, f"{name}/", call.run)
            return self._workflow(called)
        environment = definition.get("environment")
        if environment:
            environment = self._expressions.interpolated(environment, contexts)
        folder = self._folder / f"{self._runs}-{name.replace('/', '-')}"
        job = Job(
            name=name,
            definition=definition,
            event=call.event,
            inputs=call.inputs,
            workspace=folder / "workspace",
            temporary=folder / "temp",
            environment=environment,
            variables=self._stands.variables(environment),
            matrix=matrix,
            needs=needs,
        )
        job.workspace.mkdir(parents=True)
        job.temporary.mkdir()
        return self._steps(job, call.run)

    def _steps(self, job: Job, run: Run) -> Outcome:
        failed = False
        outcomes: dict[str, Any] = {}
        contexts = {
            "github": self._github(job.event, self._stands.token(job)),
            "inputs": job.inputs,
            "needs": job.needs,
            "vars": job.variables,
            "matrix": job.matrix,
            "steps": outcomes,
            "runner": {"temp": str(job.temporary)},
        }
        of_job = self._evaluated(job.definition.get("env", {}), contexts)
        for step in job.definition["steps"]:
            does: str = step.get("run") or step["uses"].partition("@")[0]
            status = Status(failed=failed, cancelled=job.cancelled)
            with_env = {**contexts, "env": of_job}
            if not self._expressions.holds(step.get("if"), with_env, status):
                outcome: Outcome = "skipped"
                said = ""
            else:
                of_step = self._evaluated(step.get("env", {}), with_env)
                outcome, said = self._step(step, does, job, {**of_job, **of_step}, with_env)
            failed = failed or outcome == "failure"
            if "id" in step:
                outcomes[step["id"]] = {"outcome": outcome, "conclusion": outcome}
            run.steps.append(Step(job.name, does, outcome, said))
        if job.cancelled:
            return "cancelled"
        return "failure" if failed else "success"

    def _step(
        self,
        step: Mapping[str, Any],
        does: str,
        job: Job,
        environment: Mapping[str, str],
        contexts: Mapping[str, Any],
    ) -> tuple[Outcome, str]:
        if "uses" in step:
            try:
                self._stands.action(does, self._evaluated(step.get("with", {}), contexts), job)
            except StandInError as error:
                return "failure", str(error)
            return "success", ""
        if self._stands.line(does, job):
            return "success", ""
        script = job.temporary / "step.sh"
        script.write_text(self._expressions.interpolated(does, contexts))
        process = subprocess.Popen(
            # What is started in the background may have been told to ignore the signal.
            ["env", "--default-signal=INT,TERM", "bash", "-e", script],
            cwd=job.workspace,
            env={
                **self._stands.process_environment(job),
                "GITHUB_REF_NAME": job.event.ref.partition("/")[2].partition("/")[2],
                "GITHUB_SHA": job.event.sha,
                "RUNNER_TEMP": str(job.temporary),
                **job.exported,
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        if wait := self.cancel_when(job, does):
            wait()
            job.cancelled = True
            said = _cancelled(process)
            return "cancelled", said
        said, _ = process.communicate()
        return ("failure" if process.returncode else "success"), said

    def _evaluated(self, values: Mapping[str, Any], contexts: Mapping[str, Any]) -> dict[str, str]:
        return {
            name: self._expressions.interpolated(_text(value), contexts)
            for name, value in values.items()
        }

    def _contexts(self, call: _Call, needs: Mapping[str, Any]) -> dict[str, Any]:
        """Return what is known before a job has a machine."""
        return {
            "github": self._github(call.event, ""),
            "inputs": call.inputs,
            "needs": needs,
            "vars": self._stands.variables(None),
        }

    def _github(self, event: Event, token: str) -> dict[str, Any]:
        return {
            "event": {**event.payload, "inputs": event.inputs},
            "event_name": event.name,
            "ref": event.ref,
            "ref_name": event.ref.partition("/")[2].partition("/")[2],
            "sha": event.sha,
            "repository": REPOSITORY,
            "token": token,
        }


def _cancelled(process: subprocess.Popen[str]) -> str:
    """End a step as GitHub's runner does: only the process that the step began with is told."""
    signals = {signal.SIGINT: INTERRUPTED_SECONDS, signal.SIGTERM: TERMINATED_SECONDS}
    for number, seconds in signals.items():
        process.send_signal(number)
        try:
            return process.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            continue
    os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()[0]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _needs(job: Mapping[str, Any]) -> list[str]:
    needs = job.get("needs", [])
    return [needs] if isinstance(needs, str) else list(needs)


def _before(jobs: Mapping[str, Mapping[str, Any]], name: str) -> set[str]:
    """Return all jobs that one waits for, by whatever way: the functions ask for all of them.

    https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#status-check-functions
    """
    direct = _needs(jobs[name])
    return {*direct, *(each for need in direct for each in _before(jobs, need))}


def _together(results: Iterable[Outcome]) -> Outcome:
    """Return the result of several jobs: of a matrix, or of a workflow that is called."""
    found = set(results)
    worst: tuple[Outcome, ...] = ("failure", "cancelled", "success")
    return next((result for result in worst if result in found), "skipped")


def _in_order(jobs: Mapping[str, Mapping[str, Any]]) -> Iterable[str]:
    done: list[str] = []
    while len(done) < len(jobs):
        ready = [
            name
            for name, job in jobs.items()
            if name not in done and all(need in done for need in _needs(job))
        ]
        assert ready, f"{sorted(jobs.keys() - set(done))} wait for each other"
        done += ready
    return done


def _matrix(name: str, job: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return each job of a matrix of one dimension, by its name."""
    matrix = job.get("strategy", {}).get("matrix")
    if matrix is None:
        return [(name, {})]
    ((key, values),) = matrix.items()
    return [(f"{name} ({value})", {key: value}) for value in values]
