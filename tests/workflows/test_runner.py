"""The runner of the tests runs workflows as GitHub does."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent

import pytest

from tests.support.workflows import runner
from tests.support.workflows.expressions import ExpressionError, Expressions
from tests.support.workflows.runner import Event, Job, Run, Runner, StandInError

EVENT = Event(name="push", ref="refs/tags/v1", sha="0" * 40)
# Says when it listens, and what it has been told by then.
LISTENER = """
import signal, sys
try:
    open(sys.argv[1], "w").close()
    signal.pause()
except KeyboardInterrupt:
    print("interrupted")
    sys.exit(2)
"""
DEAF = """
import signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1], "w").close()
signal.pause()
"""


@dataclass
class Nothing:
    """Stands for a GitHub whose actions do nothing, but for one that fails."""

    jobs: dict[str, Job] = field(default_factory=dict)
    given: list[Mapping[str, str]] = field(default_factory=list)

    def action(self, name: str, arguments: Mapping[str, str], job: Job) -> None:
        self.jobs[job.name] = job
        self.given.append(arguments)
        if name == "an/action-that-fails":
            raise StandInError("it does")
        if name == "an/action-that-exports":
            job.exported["EXPORTED"] = "for later"

    def line(self, line: str, job: Job) -> bool:
        self.jobs[job.name] = job
        return line == "make setup"

    def variables(self, environment: str | None) -> Mapping[str, str]:
        return {"WHERE": environment or "nowhere"}

    def token(self, job: Job) -> str:
        return f"token of {job.name}"

    def process_environment(self, job: Job) -> Mapping[str, str]:
        return {"PATH": os.environ["PATH"], "JOB": job.name}


@dataclass(frozen=True)
class Place:
    """Workflows that a test writes. What is called ``called.yml`` may be called by ``flow.yml``."""

    source: Path
    stands: Nothing
    runner: Runner

    def run(self, jobs: str, *, event: Event = EVENT, called: str = "") -> Run:
        for name, text in (("flow", jobs), ("called", called)):
            written = "jobs:\n" + indent(dedent(text), "  ")
            (self.source / f"{name}.yml").write_text(written, encoding="utf-8")
        return self.runner.run("flow.yml", event)

    def steps(self, steps: str) -> Run:
        return self.run("job:\n  steps:\n" + indent(dedent(steps), "  "))


@pytest.fixture
def place(tmp_path: Path, github_expressions: Expressions) -> Place:
    source = tmp_path / "source"
    source.mkdir()
    stands = Nothing()
    return Place(source, stands, Runner(source, tmp_path / "runs", stands, github_expressions))


def test_a_step_that_fails_ends_the_job_but_for_what_asks_for_it(place: Place) -> None:
    run = place.steps("""
        - run: echo one
        - {id: two, run: exit 3}
        - run: echo three
        - {if: failure() && steps.two.outcome == 'failure', run: echo four}
        - {if: failure() && steps.six.outcome == 'failure', run: echo five}
        - {id: six, if: always(), run: echo six}
        - {if: "steps.six.outcome == 'success'", run: echo seven}
        - {if: failure() && steps.six.outcome == 'success', run: echo eight}
    """)
    assert run.done("job") == ["echo one", "exit 3", "echo four", "echo six", "echo eight"]
    assert run.failed() == ["exit 3"]
    assert run.results == {"job": "failure"}
    assert not run.succeeded
    assert run.said("echo s") == "six\n"


def test_a_line_ends_at_the_first_command_that_fails(place: Place) -> None:
    run = place.steps("""
        - run: |
            false
            echo later
    """)
    assert [(step.outcome, step.said) for step in run.steps] == [("failure", "")]


def test_an_action_that_fails_is_a_step_that_does(place: Place) -> None:
    run = place.steps("""
        - uses: an/action@v1 # v1.0.0
        - uses: an/action-that-fails@v1
        - run: echo later
    """)
    assert run.done("job") == ["an/action", "an/action-that-fails"]
    assert run.said("an/action-that-fails") == "it does"


def test_what_is_stood_in_for_is_not_run(place: Place) -> None:
    assert place.steps("- run: make setup").succeeded


def test_every_job_has_a_place_of_its_own(place: Place) -> None:
    run = place.run("""
        one: {steps: [run: "touch here; echo $JOB"]}
        two: {needs: one, steps: [run: "ls; echo $JOB"]}
    """)
    assert [step.said for step in run.steps] == ["one\n", "two\n"]


def test_variables_of_the_job_of_the_step_and_of_actions_reach_a_step(place: Place) -> None:
    run = place.run("""
        job:
          environment: prd
          env: {OF_JOB: "${{ vars.WHERE }}", BOTH: job, UNSET: "${{ vars.NONE }}"}
          steps:
            - {uses: an/action-that-exports@v1, with: {flag: true, where: "${{ env.OF_JOB }}"}}
            - run: echo "$OF_JOB $BOTH $TOKEN $EXPORTED [$UNSET] $GITHUB_REF_NAME $RUNNER_TEMP"
              env: {BOTH: step, TOKEN: "${{ github.token }}"}
            - run: echo "$BOTH [$TOKEN]"
    """)
    job = place.stands.jobs["job"]
    assert place.stands.given == [{"flag": "true", "where": "prd"}]
    assert [step.said for step in run.steps][1:] == [
        f"prd step token of job for later [] v1 {job.temporary}\n",
        "job []\n",
    ]


def test_nothing_of_this_machine_reaches_a_step(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "somebody's")
    run = place.steps('- run: echo "[$AWS_SECRET_ACCESS_KEY]"')
    assert run.said("echo") == "[]\n"


def test_a_job_whose_need_failed_is_skipped_and_so_is_what_needs_that(place: Place) -> None:
    run = place.run("""
        third: {needs: [second], steps: [run: echo third]}
        second: {needs: first, steps: [run: echo second]}
        first: {steps: [run: exit 1]}
        alone: {steps: [run: echo alone]}
        told: {needs: third, if: failure(), steps: [run: echo told]}
        asks:
          needs: third
          if: "!cancelled() && needs.third.result == 'skipped'"
          steps: [run: echo asks]
        after: {needs: asks, steps: [run: echo after]}
    """)
    assert run.results == {
        "first": "failure",
        "alone": "success",
        "second": "skipped",
        "third": "skipped",
        # `failure()` and `success()` ask for all that came before, not only for what is named.
        "told": "success",
        "asks": "success",
        "after": "skipped",
    }
    assert not run.succeeded


def test_a_job_that_was_skipped_is_no_failure(place: Place) -> None:
    run = place.run("""
        first: {if: "vars.WHERE == 'here'", steps: [run: exit 1]}
        second: {needs: first, steps: [run: echo second]}
        told: {needs: first, if: failure(), steps: [run: echo told]}
    """)
    assert set(run.results.values()) == {"skipped"}
    assert run.succeeded


def test_a_job_may_not_have_its_matrix_in_its_condition(place: Place) -> None:
    with pytest.raises(ExpressionError):
        place.run("""
            job:
              if: matrix.stage == 'dev'
              strategy: {matrix: {stage: [dev, prd]}}
              steps: [run: echo one]
        """)


@pytest.mark.parametrize("fails", ["dev", "prd"])
def test_a_matrix_is_as_good_as_its_worst(place: Place, fails: str) -> None:
    run = place.run(f"""
        each:
          strategy: {{matrix: {{stage: [dev, prd]}}}}
          env: {{STAGE: "${{{{ matrix.stage }}}}"}}
          steps: [run: test "$STAGE" != {fails}]
        after: {{needs: each, steps: [run: echo after]}}
    """)
    other = {"dev": "prd", "prd": "dev"}[fails]
    assert run.results == {
        f"each ({fails})": "failure",
        f"each ({other})": "success",
        "after": "skipped",
    }


@pytest.mark.parametrize(("status", "result"), [(0, "success"), (1, "failure")])
def test_a_called_workflow_gets_its_inputs_and_gives_its_result(
    place: Place, status: int, result: str
) -> None:
    run = place.run(
        """
        call:
          uses: ./called.yml
          with: {stage: "${{ github.ref_name }}", flag: true}
        after:
          needs: call
          if: always()
          env: {OF: "${{ needs.call.result }}"}
          steps: [run: echo "$OF"]
        """,
        called=f"""
        inner:
          environment: ${{{{ inputs.stage }}}}
          env: {{STAGE: "${{{{ inputs.stage }}}} ${{{{ inputs.flag }}}}"}}
          steps: [run: 'echo "$STAGE"; exit {status}']
        """,
    )
    assert run.results == {"call/inner": result, "call": result, "after": "success"}
    assert place.stands.jobs["call/inner"].environment == "v1"
    assert [step.said for step in run.steps] == ["v1 true\n", f"{result}\n"]


def test_jobs_that_wait_for_each_other_are_an_error(place: Place) -> None:
    with pytest.raises(AssertionError, match=r"\['one', 'two'\] wait for each other"):
        place.run("""
            one: {needs: two, steps: [run: echo one]}
            two: {needs: one, steps: [run: echo two]}
        """)


def cancelled_when_it_listens(place: Place, program: str) -> str:
    """Return a command for a program, during which the run is cancelled: then it listens."""
    pipe = place.source / "listening"
    os.mkfifo(pipe)
    (place.source / "program.py").write_text(program)

    def when(_: Job, does: str) -> Callable[[], object] | None:
        return pipe.read_text if "program.py" in does else None

    place.runner.cancel_when = when
    return f"{sys.executable} {place.source}/program.py {pipe}"


@pytest.fixture(params=[signal.default_int_handler, signal.SIG_IGN], ids=["heard", "ignored"])
def interruptions(request: pytest.FixtureRequest) -> Iterator[None]:
    """As in a terminal, and as in the background, where programs are started without them."""
    before = signal.signal(signal.SIGINT, request.param)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptions")
def test_who_is_executed_hears_of_a_cancellation(place: Place) -> None:
    command = cancelled_when_it_listens(place, LISTENER)
    (step,) = place.steps(f"- run: exec {command}").steps
    assert (step.outcome, step.said) == ("cancelled", "interrupted\n")


def test_who_is_started_by_a_shell_does_not(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "INTERRUPTED_SECONDS", 0.1)
    monkeypatch.setattr(runner, "TERMINATED_SECONDS", 0.1)
    command = cancelled_when_it_listens(place, LISTENER)
    (step,) = place.steps(f"- run: {command}").steps
    assert (step.outcome, step.said) == ("cancelled", "")


def test_who_does_not_end_is_ended(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "INTERRUPTED_SECONDS", 0.1)
    monkeypatch.setattr(runner, "TERMINATED_SECONDS", 0.1)
    command = cancelled_when_it_listens(place, DEAF)
    (step,) = place.steps(f"- run: exec {command}").steps
    assert step.outcome == "cancelled"


def test_after_a_cancellation_only_what_asks_for_it_is_run(place: Place) -> None:
    command = cancelled_when_it_listens(place, LISTENER)
    run = place.run(f"""
        job:
          steps:
            - {{id: it, run: exec {command}}}
            - run: echo next
            - {{if: failure(), run: echo failure}}
            - {{if: "!cancelled()", run: echo well}}
            - {{if: cancelled(), run: echo cancelled}}
            - {{if: "always() && steps.it.outcome == 'cancelled'", run: echo always}}
        after: {{needs: job, if: "!cancelled()", steps: [run: echo after]}}
        alone: {{if: "!cancelled()", steps: [run: echo alone]}}
    """)
    assert run.done("job")[1:] == ["echo cancelled", "echo always"]
    assert run.results == {"job": "cancelled", "alone": "skipped", "after": "skipped"}
    assert not run.succeeded


def test_a_called_workflow_that_was_cancelled_is_cancelled(place: Place) -> None:
    command = cancelled_when_it_listens(place, LISTENER)
    run = place.run(
        """
        call: {uses: ./called.yml}
        record: {needs: call, if: "!cancelled()", steps: [run: echo record]}
        """,
        called=f"inner: {{steps: [run: exec {command}]}}",
    )
    assert run.results == {"call/inner": "cancelled", "call": "cancelled", "record": "skipped"}
