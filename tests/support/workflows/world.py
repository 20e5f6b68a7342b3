"""The setting of the workflow tests: an empty account after its set-up, and a repository."""

import json
import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import msgspec
from botocore.exceptions import ClientError

from config.image_lock import ImagePin
from config.names import GITHUB_STACK, GUARD_REGION, StageNames
from demo.incident.checkout import Checkout
from local.addresses import own_url
from local.cloud import Cloud, emulated_cloud
from local.docker_registry import running_registry
from local.emulated_aws.server import ACCOUNT_ID, REGION
from local.gateway import reserve_port
from local.progress import SilentProgress
from release.deploy.smoke import smoke
from tests.support.imagecheck.images import File
from tests.support.imagecheck.tools import skopeo_copy
from tests.support.release.github_server import REPOSITORY, GithubServer, github_server
from tests.support.release.stand_in_base import PYTHON_VERSION, push_base
from tests.support.workflows.expressions import expressions
from tests.support.workflows.runner import Event, Run, Runner
from tests.support.workflows.stand_ins import OWNER_ID, REPOSITORY_ID, Github

STAGES: Final = ("dev", "prd")
DOCKERFILE: Final = "lambda_src/Dockerfile"
_ARCHITECTURE: Final = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
_POLL_SECONDS = 0.05


@dataclass(frozen=True, kw_only=True)
class World:
    """All that there is. ``main`` is a person's checkout, whose commits are at GitHub at once."""

    cloud: Cloud
    registry: str
    main: Checkout
    github: Github
    server: GithubServer
    runner: Runner
    synth_log: Path

    def synths(self) -> list[str]:
        """Return what each synth of the last run was told of the validation of templates."""
        return self.synth_log.read_text(encoding="utf-8").splitlines()

    def release(self, tag: str, commit: str) -> Run:
        """Tag a commit, and let the workflow run."""
        return self._run("release", Event(name="push", ref=f"refs/tags/{tag}", sha=commit))

    def roll_back(self, stage: str, *, to: str = "", cancelled: bool = False) -> Run:
        """Press the button of workflow rollback; ``cancelled`` once the stack changes."""
        if cancelled:
            self.runner.cancel_when = lambda _, line: (
                partial(self._wait_for, stage, "IN_PROGRESS") if " rollback " in line else None
            )
        return self.dispatch("rollback", stage=stage, to=to, emergency=False)

    def wait_until_idle(self, stage: str) -> None:
        """Let CloudFormation end what it has begun."""
        self._wait_for(stage, "_COMPLETE")

    def answers(self, stage: str) -> bool:
        """Whether the API of a stage does what its contract says."""
        return len(smoke(self.github.of_environments[stage]["API_URL"])) > 0

    def dispatch(self, workflow: str, **inputs: Any) -> Run:
        """Start a workflow by hand, on the main branch."""
        event = Event(
            name="workflow_dispatch",
            ref="refs/heads/main",
            sha=self.main.head(),
            inputs=inputs,
        )
        return self._run(workflow, event)

    def pull_request(self, workflow: str, event: str, *, base: str, head: str, fork: bool) -> Run:
        """Open a pull request, of a fork or of a branch of the repository itself."""
        number = self.server.open_pull(head)
        self.main.git("update-ref", f"refs/pull/{number}/merge", head)
        ref = "refs/heads/main" if event == "pull_request_target" else f"refs/pull/{number}/merge"
        repository = {"full_name": "somebody/rooms" if fork else REPOSITORY}
        payload = {
            "pull_request": {
                "number": number,
                "base": {"sha": base},
                "head": {"sha": head, "repo": repository},
            }
        }
        sha = base if event == "pull_request_target" else head
        return self._run(workflow, Event(name=event, ref=ref, sha=sha, payload=payload))

    def move_base(self) -> str:
        """Let the tag of the base image lead to a newer one, and return its digest."""
        newer = push_base(self.registry, more=[File("etc/newer", "than before")])
        name, _, digest = newer.partition("@")
        skopeo_copy(f"docker://{newer}", f"docker://{name}:latest")
        return digest

    def merge(self, branch: str) -> str:
        """Merge what a workflow has proposed."""
        for name, content in self.server.files(branch).items():
            path = self.main.root / name
            if path.is_file():
                path.write_bytes(content)
        return self.main.commit(f"Merge {branch}")

    def proposed_pins(self) -> dict[str, ImagePin]:
        """Return the lock file of the pull request that proposes pins; empty: there is none."""
        if "pins" not in self.server.branches():
            return {}
        content = self.server.files("pins")["image-lock.json"]
        return msgspec.json.decode(content, type=dict[str, ImagePin])

    def live(self, stage: str) -> str:
        """Return the digest of what takes a stage's traffic."""
        function = self.cloud.client("lambda").get_function(
            FunctionName=StageNames(stage).function, Qualifier="live"
        )
        return str(function["Code"]["ResolvedImageUri"].partition("@")[2])

    def images(self, stage: str) -> set[str]:
        """Return the digests of what is in a stage's repository."""
        listed = self.cloud.client("ecr").list_images(repositoryName=StageNames(stage).repository)
        return {image["imageDigest"] for image in listed["imageIds"]}

    def _wait_for(self, stage: str, status: str) -> None:
        """Wait until the status of the rooms stack ends like this."""
        cloudformation = self.cloud.client("cloudformation")
        name = StageNames(stage).rooms_stack
        while True:
            (found,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
            if found["StackStatus"].endswith(status):
                return
            time.sleep(_POLL_SECONDS)

    def _run(self, workflow: str, event: Event) -> Run:
        self.github.start()
        self.synth_log.write_text("", encoding="utf-8")
        self.server.push(self.main.root)
        return self.runner.run(f".github/workflows/{workflow}.yml", event)


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Do the first set-up of docs/pipeline.md, in an empty account and a new repository."""
    with ExitStack() as stack:
        registry = stack.enter_context(running_registry(folder / "registry"))
        cloud = stack.enter_context(emulated_cloud(folder / "cloud", registry))
        server = stack.enter_context(github_server())
        main = Checkout(folder / "main", cloud.environment, folder / "commands.log")
        synth_log = folder / "synths"
        _count_synths(main, synth_log)
        _for_this_machine(main, registry)
        _set_up(main)
        github = Github(
            origin=main.root,
            artifacts=folder / "artifacts",
            cloud=cloud,
            server=server,
            of_repository={
                "AWS_REGION": cloud.environment["AWS_REGION"],
                "DIFF_ROLES": json.dumps({one: _role(one, "diff") for one in STAGES}),
            },
            of_environments={
                stage: {
                    "DEPLOY_ROLE": _role(stage, "deploy"),
                    **stack.enter_context(_served(cloud, StageNames(stage))),
                }
                for stage in STAGES
            },
        )
        runner = Runner(main.root, folder / "runs", github, stack.enter_context(expressions()))
        yield World(
            cloud=cloud,
            registry=registry,
            main=main,
            github=github,
            server=server,
            runner=runner,
            synth_log=synth_log,
        )


def _count_synths(main: Checkout, log: Path) -> None:
    """Let the app write a line whenever it is synthesized, whoever does that."""
    noted = 'os.environ.get("CDK_VALIDATION", "not told")'
    main.write(
        "app.py",
        main.read("app.py")
        + "    import os\n\n"
        + f'    with open({str(log)!r}, "a", encoding="utf-8") as log:\n'
        + f'        log.write({noted} + "\\n")\n',
    )


def _for_this_machine(main: Checkout, registry: str) -> None:
    base = push_base(registry)
    name, _, digest = base.partition("@")
    skopeo_copy(f"docker://{base}", f"docker://{name}:latest")
    for line in main.read(DOCKERFILE).splitlines():
        # Bases for other CPUs are not in this registry.
        if line.startswith("ARG BASE"):
            is_last = line.startswith("ARG BASE=")
            main.replace(DOCKERFILE, line, f"ARG BASE={name}:latest@{digest}" if is_last else "")
    main.replace(DOCKERFILE, "ARG PYTHON_VERSION=3.13", f"ARG PYTHON_VERSION={PYTHON_VERSION}")
    main.replace("config/function_libraries.py", '"3.13"', f'"{PYTHON_VERSION}"')
    for stage in STAGES:
        main.change_context(stage, architecture=_ARCHITECTURE)
    document = json.loads(main.read("cdk.json"))
    owner, _, name = REPOSITORY.partition("/")
    document["context"]["github"] = {
        "owner": owner,
        "ownerId": OWNER_ID,
        "repository": name,
        "repositoryId": REPOSITORY_ID,
    }
    main.write("cdk.json", json.dumps(document, indent=2) + "\n")
    main.commit("The lobby, for this machine")


def _set_up(main: Checkout) -> None:
    """As a person does once, with an administrator's credentials."""
    cdk = "node_modules/.bin/cdk"
    stacks = [
        GITHUB_STACK,
        *(StageNames(stage).delivery_stack for stage in STAGES),
        *(StageNames(stage).registry_stack for stage in STAGES),
    ]
    context = f"--context=stage={','.join(STAGES)}"
    for command in (
        ["bootstrap", *(f"aws://{ACCOUNT_ID}/{region}" for region in (REGION, GUARD_REGION))],
        ["deploy", context, "--require-approval=never", *stacks],
    ):
        ran = main.run(cdk, *command)
        assert ran.status == 0, ran.all


def _role(stage: str, what: str) -> str:
    return f"arn:aws:iam::{ACCOUNT_ID}:role/hima-five-bomber-{stage}-{what}"


@contextmanager
def _served(cloud: Cloud, names: StageNames) -> Iterator[dict[str, str]]:
    """Serve a stage's API and page from when they are deployed, and yield where that will be."""
    api, page = (reserve_port(0) for _ in range(2))
    ended = threading.Event()
    servers = [
        (names.rooms_stack, "ApiUrl", partial(cloud.serving, names.rooms_stack, listener=api)),
        (
            names.web_stack,
            "PageUrl",
            partial(
                cloud.serving_page,
                names.web_stack,
                names.rooms_stack,
                listener=page,
                progress=SilentProgress(),
            ),
        ),
    ]
    threads = [
        threading.Thread(target=_serve, args=(cloud, stack, output, serve, ended))
        for stack, output, serve in servers
    ]
    for thread in threads:
        thread.start()
    try:
        yield {
            "API_URL": own_url(api),
            "PAGE_URL": own_url(page),
        }
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        api.close()
        page.close()


def _serve(
    cloud: Cloud,
    stack: str,
    output: str,
    serve: Callable[[], AbstractContextManager[str]],
    ended: threading.Event,
) -> None:
    while not ended.wait(_POLL_SECONDS):
        if _has(cloud, stack, output):
            with serve():
                ended.wait()


def _has(cloud: Cloud, stack: str, output: str) -> bool:
    try:
        return output in cloud.outputs(stack)
    except (ClientError, KeyError):
        return False
