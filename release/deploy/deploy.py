"""A deployment: the checks before it, the CDK CLI, and the checks after it."""

from dataclasses import dataclass

from config.image_lock import ImagePin
from config.project import Project, Stage
from imagecheck.errors import FailedError
from imagecheck.terminal import say, step, warn
from release.build.gates import passed_gates
from release.cloud_assembly import CloudAssembly, assembly_of
from release.deploy.cancel_deployment import (
    InterruptedDeploymentError,
    LeftDeploymentError,
    cancel_deployment,
)
from release.deploy.cdk_deploy import CdkFailedError, cdk_deploy
from release.deploy.existing import require_as_declared, require_nothing_existing
from release.deploy.kept_versions import keep_versions
from release.deploy.live import ALIAS, Live, Packaging, Stack, read_live, read_stack
from release.deploy.preflight import (
    require_booted,
    require_concurrency,
    require_idle,
    require_image,
)
from release.deploy.stack_events import last_event_id, read_events
from release.deploy.stopped import Stopped, what_stopped
from release.deploy.table_change import left_behind
from release.errors import RefusedError
from release.registry.repository import tag_deployed
from release.shared_account import stages_beside, warn_if_shared


@dataclass(frozen=True)
class Deployed:
    """What was live before, what is now, and where its API is."""

    before: Live | None
    after: Live
    api_url: str


class StoppedError(RefusedError):
    """A gate stopped the deployment; ``live`` is what takes the traffic."""

    def __init__(self, stage: Stage, stopped: Stopped, how_live_stands: str) -> None:
        super().__init__(
            f"stopped by {stopped.gate}: {stopped.cause}; {how_live_stands}",
            hint=f"python -m release diagnose {stage.name}",
            details={"gate": stopped.gate, "cause": stopped.cause},
        )
        self.stopped = stopped


class OtherIsLiveError(RefusedError):
    """The deployment succeeded, and something else than was deployed is live."""


def deploy(
    project: Project,
    stage: Stage,
    *,
    pin: ImagePin | None,
    assembly: CloudAssembly | None,
    emergency: bool,
    skip_boot: bool,
    skip_lifecycle: bool,
    import_existing: bool = False,
    ask: bool,
) -> Deployed:
    """Deploy a stage with the image that the lock file pins for it; ``pin`` is None for a zip.

    With an ``assembly`` that is deployed, and ``pin`` is its own. Nothing is changed before every
    check has passed. ``import_existing`` takes over a table and a repository that are there, and in
    no stack. With ``ask`` the CDK CLI asks on the terminal before
    it widens permissions.

    Raises:
        RefusedError: something stands in the way, or a gate stopped it (StoppedError), or what is
            live afterwards is something else (OtherIsLiveError).
        FailedError: it could not be done.
        InterruptedDeploymentError: it was interrupted, and cancelled.

    """
    packaging: Packaging = "image" if pin else "zip"
    rooms = stage.names.rooms_stack
    with step(f"reading what is live at {stage.name}"):
        stack = read_stack(stage, rooms)
        require_idle(stage, stack)
        before = read_live(stage, stack.outputs if stack else {})
        seen = last_event_id(stage, rooms)
        if not import_existing:
            require_nothing_existing(stage, stack)
    require_concurrency(stage, stage.names.function if pin else stage.names.zip_function)
    if stack is None:
        warn_if_shared(stage, stages_beside(project, stage))
    if pin and "boot" in passed_gates(project.root, pin.digest, stage.settings.architecture):
        skip_boot = False  # there is nothing to skip
    _announce(stage, before, pin, emergency=emergency, skip_boot=skip_boot)
    for what in left_behind(project, stage, stack):
        warn(f"warning: {what}")
    if skip_lifecycle:
        warn("--skip-lifecycle: NOT checked that no lifecycle rule deletes a deployed image")
    if pin:
        with step("checking the image in its repository"):
            require_image(stage, pin.digest, skip_lifecycle=skip_lifecycle)
        if _is_first(before, packaging):
            require_booted(project, stage, pin.digest, skip=emergency or skip_boot)
        tag_deployed(stage, pin.digest)
    try:
        if assembly is None:
            assembly = assembly_of(project, stage, pin, emergency=emergency)
        if import_existing:
            require_as_declared(stage, stack, assembly)
        if before and _is_first(before, packaging):
            keep_versions(stage, before)
        with step(f"deploying {stage.name}"):
            cdk_deploy(project, stage, assembly, import_existing=import_existing, ask=ask)
    except KeyboardInterrupt:
        raise InterruptedDeploymentError(cancel_deployment(stage, stack, before)) from None
    except CdkFailedError as failed:
        raise _failure(stage, stack, before, seen, str(failed)) from None
    stack = read_stack(stage, rooms)
    outputs = stack.outputs if stack else {}
    after = read_live(stage, outputs)
    _require_wanted(stage, after, pin)
    assert after  # noqa: S101  (for the type checker: it is what was wanted)
    return Deployed(before, after, outputs["ApiUrl"])


def _announce(
    stage: Stage,
    before: Live | None,
    pin: ImagePin | None,
    *,
    emergency: bool,
    skip_boot: bool,
) -> None:
    wanted = pin.digest if pin else "a zip"
    is_first = _is_first(before, "image" if pin else "zip")
    say(f"{stage.name}: {before or 'nothing is live'} → {wanted}")
    if before and is_first:
        say(
            f"A function cannot change from {before.packaging} to {'image' if pin else 'zip'}: the"
            " stack makes another one, moves the API to it, and removes the old one last."
        )
    is_booted = pin and not (emergency or skip_boot)
    if is_first:
        say(
            f"Its alias {ALIAS} is new, so its first deployment is not canaried:"
            f" {'boot and smoke are its gates' if is_booted else 'smoke is its only gate'}."
        )
    if pin and skip_boot:
        warn(
            f"SKIPPED: boot. NOT tested whether {pin.digest} starts: "
            + (
                "if it does not, every request fails until another image is deployed. From the"
                " second deployment on, the pre-traffic hook is the gate that remains."
                if is_first
                else "the pre-traffic hook is the gate that remains."
            )
        )
    if emergency and is_first and pin:
        warn(f"EMERGENCY: NOT tested whether {pin.digest} starts, and no canary watches it")
    if emergency:
        warn(
            "EMERGENCY: the new version gets all traffic at once. No hook tests it, no alarm stops"
            " it, nothing rolls it back."
        )


def _failure(
    stage: Stage, stack: Stack | None, before: Live | None, seen: str | None, said: str
) -> RefusedError | FailedError:
    """Find out why the CLI failed. What CloudFormation still works on is cancelled."""
    rooms = stage.names.rooms_stack
    try:
        now = read_stack(stage, rooms)
        events = read_events(stage, rooms, after=seen)
    except FailedError as error:
        return FailedError(
            f"`cdk deploy` failed, and the state of the stack is unknown ({error})\n  {said}",
            hint=f"aws cloudformation describe-stacks --region {stage.region} --stack-name {rooms}",
        )
    if now and now.status in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}:
        # The CLI has lost it, as with a network that is gone or credentials that have expired.
        return LeftDeploymentError(cancel_deployment(stage, stack, before), said)
    stands = _stands(stage, now, before)
    stopped = what_stopped(stage, events, now.outputs if now else {})
    if stopped is None:
        return FailedError(
            f"`cdk deploy` failed, and not for what CloudFormation did; {stands}\n  {said}"
        )
    return StoppedError(stage, stopped, stands)


def _is_first(before: Live | None, packaging: Packaging) -> bool:
    return before is None or before.packaging != packaging


def _stands(stage: Stage, stack: Stack | None, before: Live | None) -> str:
    """Say where the alias is, after a deployment that failed."""
    try:
        live = read_live(stage, stack.outputs if stack else {})
    except FailedError as error:
        return f"where the alias {ALIAS} is cannot be seen ({error})"
    unfinished = ""
    if stack and stack.status.endswith("ROLLBACK_FAILED"):
        unfinished = f", and CloudFormation could not go back ({stack.status})"
    if live is None:
        return f"nothing is live{unfinished}"
    if before and (live.function_name, live.version) == (before.function_name, before.version):
        return f"the alias {ALIAS} is still at version {live.version}{unfinished}"
    return f"the alias {ALIAS} is at {live}, before it was at {before or 'none'}{unfinished}"


def _require_wanted(stage: Stage, after: Live | None, pin: ImagePin | None) -> None:
    """Rule H4: what Lambda runs is what was pinned."""
    wanted = pin.digest if pin else None
    if after and (after.packaging, after.digest) == ("image" if pin else "zip", wanted):
        return
    raise OtherIsLiveError(
        f"CloudFormation deployed {wanted or 'a zip'}, but {after or 'nothing'} is live: somebody"
        " else changed the alias or the function's code",
        hint=f"python -m release diagnose {stage.name}",
        details={"gate": "what is live", "cause": f"{after or 'nothing'} is live"},
    )
