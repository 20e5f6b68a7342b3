"""Rules for every workflow: its commands, actions and machines."""

import re
import shlex
from pathlib import PurePath
from typing import Any

import pytest
import typer
import yaml
from typer.core import TyperGroup

from config.settings import read_settings
from release.cli import COMMANDS, app
from tests.support.cdk_context import CDK_JSON, ROOT
from tests.support.workflows.definitions import JOBS, STEPS, WORKFLOWS, Job, Workflow

UPLOAD = "actions/upload-artifact"
DOWNLOAD = "actions/download-artifact"
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")

# A step is one program, so that its exit status is the step's, and nothing is hidden in a script.
MAKE = re.compile(r"(?:sudo )?make(?P<targets>(?: [a-z-]+)+)")
RELEASE = re.compile(
    r"""(?:exec[ ])?\.venv/bin/python[ ]-m[ ]release[ ](?P<arguments>[^;&|<>`()\n]+?)
    (?:[ ]>[ ]"\$RUNNER_TEMP/[a-z]+\.md")?""",
    re.VERBOSE,
)
PINNED = re.compile(r"(?P<action>[\w./-]+)@(?P<sha>[0-9a-f]{40}) # (?P<version>v\d+\.\d+\.\d+)")
OPTIONAL = re.compile(r"\$\{(\w+):\+(.*?)\}")
# https://docs.github.com/en/actions/reference/workflows-and-actions/variables
GIVEN_BY_GITHUB = {"GITHUB_REF_NAME", "RUNNER_TEMP"}
EVERY_JOB = pytest.mark.parametrize("job", JOBS, ids=str)
EVERY_WORKFLOW = pytest.mark.parametrize("workflow", WORKFLOWS, ids=str)
RELEASE_STEPS = [step for _, step in STEPS if "release" in step.run]


def written_uses(workflow: Workflow) -> list[str]:
    """Every ``uses`` with the comment behind it, which YAML drops."""
    return re.findall(r"^ *(?:- )?uses: (.*)$", workflow.text, re.MULTILINE)


def parsed(line: str) -> None:
    """Have ``release`` read its arguments. Raises typer's exceptions: it does not take them."""
    found = RELEASE.fullmatch(line)
    assert found
    name, *arguments = shlex.split(re.sub(r"\$\w+", "1", found["arguments"]))
    commands = typer.main.get_command(app)
    assert isinstance(commands, TyperGroup)
    command = commands.get_command(typer.Context(commands), name)
    assert command, f"there is no command {name}"
    command.make_context(name, arguments)


@EVERY_JOB
def test_a_step_is_one_action_or_one_program(job: Job) -> None:
    for step in job.steps:
        assert step.action or MAKE.fullmatch(step.run) or RELEASE.fullmatch(step.run), step
        assert not {"shell", "working-directory"} & step.definition.keys()


@EVERY_WORKFLOW
def test_no_default_changes_what_a_line_means(workflow: Workflow) -> None:
    assert "defaults" not in workflow.definition
    assert not [job.name for job in workflow.jobs if "defaults" in job.definition]


@EVERY_JOB
def test_what_is_made_is_a_target(job: Job) -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)
    assert phony
    for step in job.steps:
        if found := MAKE.fullmatch(step.run):
            assert set(found["targets"].split()) <= set(phony[1].split())


@pytest.mark.parametrize("line", [step.run for step in RELEASE_STEPS])
def test_a_command_takes_what_it_is_given(line: str) -> None:
    parsed(OPTIONAL.sub("", line))
    parsed(OPTIONAL.sub(r"\2", line))


def test_commands_of_the_release_are_found() -> None:
    used = {step.command for step in RELEASE_STEPS}
    assert used <= set(COMMANDS)
    assert len(used) > 10


@EVERY_JOB
def test_values_come_by_variables_which_are_set(job: Job) -> None:
    for step in job.steps:
        assert "${{" not in step.run
        known = {*GIVEN_BY_GITHUB, *job.definition.get("env", {}), *step.definition.get("env", {})}
        assert set(re.findall(r"\$\{?(\w+)", step.run)) <= known


@EVERY_JOB
def test_variables_are_in_quotes(job: Job) -> None:
    for step in job.steps:
        unquoted = re.sub(r'"[^"]*"', "", OPTIONAL.sub(r"\2", step.run))
        assert "$" not in unquoted


@EVERY_WORKFLOW
def test_an_action_is_pinned_to_a_commit_and_says_its_version(workflow: Workflow) -> None:
    for uses in written_uses(workflow):
        local = uses.split(" ")[0] in {flow.path for flow in WORKFLOWS}
        assert local or PINNED.fullmatch(uses), uses


def test_an_action_is_the_same_everywhere() -> None:
    found = [PINNED.fullmatch(uses) for flow in WORKFLOWS for uses in written_uses(flow)]
    pins = {(pin["action"], pin["sha"], pin["version"]) for pin in found if pin}
    assert len(pins) == len({action for action, _, _ in pins})


def test_every_use_of_an_action_is_looked_at() -> None:
    used = [step for _, step in STEPS if step.action] + [job for job in JOBS if job.calls]
    assert len(used) == sum(len(written_uses(flow)) for flow in WORKFLOWS)


def test_dependabot_keeps_the_pins_fresh() -> None:
    document = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text(encoding="utf-8"))
    watched = [(each["package-ecosystem"], each["directory"]) for each in document["updates"]]
    assert ("github-actions", "/") in watched


@EVERY_JOB
def test_a_job_ends_and_runs_on_a_machine_that_stays_the_same(job: Job) -> None:
    if job.calls:
        assert "timeout-minutes" not in job.definition
        return
    assert 0 < job.definition["timeout-minutes"] <= 60
    assert re.fullmatch(r"ubuntu-\d\d\.04(-arm)?", job.definition["runs-on"])


@pytest.mark.parametrize("stage", CDK_JSON["context"]["stages"])
def test_what_is_built_or_started_is_on_the_cpu_of_the_function(stage: str) -> None:
    architecture = read_settings(CDK_JSON["context"]["stages"], stage).architecture
    builds = [job for job in JOBS if {"build", "boot", "ship"} & set(job.commands)]
    assert builds
    for job in builds:
        assert job.definition["runs-on"].endswith("-arm") == (architecture == "arm64"), job


@EVERY_JOB
def test_what_is_run_is_installed_before(job: Job) -> None:
    lines = [step.run for step in job.steps if step.run]
    if job.commands:
        installed = lines.index("make setup")
        assert not [line for line in lines[:installed] if "release" in line]
    if {"build", "boot", "ship"} & set(job.commands):
        assert lines.index("sudo make build-tools userns") < installed


def uploads(job: Job) -> dict[str, dict[str, Any]]:
    """What a job uploads, or one that it calls: by the name of the artifact."""
    jobs = job.calls.jobs if job.calls else [job]
    return {step.given["name"]: dict(step.given) for each in jobs for step in each.using(UPLOAD)}


def downloads() -> list[tuple[Job, str, str]]:
    """The job that waits, what is downloaded by name, and to where."""
    return [
        (job, step.given["name"], step.given.get("path", "."))
        for job in JOBS
        for each in (job.calls.jobs if job.calls else [job])
        for step in each.using(DOWNLOAD)
        if "name" in step.given and "workflow_call" not in job.workflow.events
    ]


@pytest.mark.parametrize(("job", "name", "place"), downloads(), ids=str)
def test_an_artifact_is_uploaded_before_and_goes_where_it_was(
    job: Job, name: str, place: str
) -> None:
    sources = [uploads(each)[name]["path"] for each in job.before() if name in uploads(each)]
    assert sources
    for source in sources:
        paths = [PurePath(line) for line in source.splitlines()]
        is_folder = len(paths) == 1 and not (paths[0].suffix or (ROOT / paths[0]).is_file())
        # Of several, what they have in common is the artifact's top.
        assert {PurePath(place)} == ({*paths} if is_folder else {path.parent for path in paths})


@EVERY_JOB
def test_what_may_not_be_there_is_downloaded_to_the_same_place(job: Job) -> None:
    for step in job.using(DOWNLOAD):
        assert ("name" in step.given) != ("pattern" in step.given)
        if "pattern" in step.given:
            assert step.given["merge-multiple"] is True
            assert step.given["pattern"] in uploads(job)


@EVERY_WORKFLOW
def test_only_what_says_so_replaces_an_artifact(workflow: Workflow) -> None:
    by_name: dict[str, list[dict[str, Any]]] = {}
    for job in workflow.jobs:
        for name, given in uploads(job).items():
            by_name.setdefault(name, []).append(given)
    for uploaded in by_name.values():
        assert len(uploaded) == 1 or all(given.get("overwrite") for given in uploaded)
