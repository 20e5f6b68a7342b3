"""A deployment: what is looked at before, the CDK CLI, and what is looked at afterwards."""

from dataclasses import dataclass

from imagecheck.terminal import say, step
from release.deploy.cdk_deploy import CdkFailedError, cdk_deploy
from release.deploy.cloud_assembly import CloudAssembly
from release.deploy.live import ALIAS, Live, Packaging, Stack, read_live, read_stack
from release.deploy.preflight import require_booted, require_idle, require_image
from release.deploy.stack_events import last_event_id, read_events
from release.deploy.stopped import Stopped, what_stopped
from release.deploy.take_back import InterruptedDeploymentError, LeftDeploymentError, take_back
from release.errors import CannotDoError, RefusedError
from release.project import Project, Stage
from release.repository.repository import tag_deployed
from stacks.image_lock import ImagePin


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
            f"stopped by {stopped.gate}: {stopped.cause}; {how_live_stands}\n"
            f"What is wrong: python -m release diagnose {stage.name}"
        )
        self.stopped = stopped


class OtherIsLiveError(RefusedError):
    """The deployment went through, and something else than was to be deployed is live."""


def deploy(
    project: Project,
    stage: Stage,
    *,
    pin: ImagePin | None,
    assembly: CloudAssembly | None,
    emergency: bool,
    skip_lifecycle: bool,
    ask: bool,
) -> Deployed:
    """Deploy a stage with the image that the lock file pins for it; ``pin`` is None for a zip.

    With an ``assembly`` that is what is deployed, and ``pin`` is its own. Nothing is touched before
    everything that can be looked at has been. With ``ask`` the CDK CLI asks on the terminal before
    it widens permissions.

    Raises:
        RefusedError: something stands in the way, or a gate stopped it (StoppedError), or what is
            live afterwards is something else (OtherIsLiveError).
        CannotDoError: it could not be done.
        InterruptedDeploymentError: it was interrupted, and taken back.

    """
    packaging: Packaging = "image" if pin else "zip"
    rooms = stage.names.rooms_stack
    with step(f"looking at what is live at {stage.name}"):
        stack = read_stack(stage, rooms)
        require_idle(stage, stack)
        before = read_live(stage, stack.outputs if stack else {})
        seen = last_event_id(stage, rooms)
    _announce(stage, before, pin, emergency=emergency)
    if skip_lifecycle:
        say("--skip-lifecycle: NOT looked whether a lifecycle rule can delete a deployed image")
    if pin:
        with step("looking at the image"):
            require_image(stage, pin.digest, skip_lifecycle=skip_lifecycle)
        if _is_first(before, packaging):
            require_booted(project, stage, pin.digest, skip=emergency)
        tag_deployed(stage, pin.digest)
    try:
        with step(f"deploying {stage.name}"):
            cdk_deploy(
                project,
                stage,
                packaging=packaging,
                emergency=emergency,
                assembly=assembly,
                ask=ask,
            )
    except KeyboardInterrupt:
        raise InterruptedDeploymentError(take_back(stage, stack, before)) from None
    except CdkFailedError as failed:
        raise _failure(stage, stack, before, seen, str(failed)) from None
    stack = read_stack(stage, rooms)
    outputs = stack.outputs if stack else {}
    after = read_live(stage, outputs)
    _require_wanted(stage, after, pin)
    assert after  # noqa: S101  (for the type checker: it is what was wanted)
    return Deployed(before, after, outputs["ApiUrl"])


def _announce(stage: Stage, before: Live | None, pin: ImagePin | None, *, emergency: bool) -> None:
    wanted = pin.digest if pin else "a zip"
    is_first = _is_first(before, "image" if pin else "zip")
    say(f"{stage.name}: {before or 'nothing is live'} → {wanted}")
    if before and is_first:
        say(
            f"A function cannot change from {before.packaging} to {'image' if pin else 'zip'}: the"
            " stack makes another one, moves the API to it, and removes the old one last."
        )
    if is_first:
        say(
            f"Its alias {ALIAS} is new, so its first deployment is not canaried:"
            f" {'boot and smoke are its gates' if pin else 'smoke is its only gate'}."
        )
    if emergency:
        say(
            "EMERGENCY: the new version gets all traffic at once. No hook asks it, no alarm stops"
            " it, nothing rolls it back."
        )


def _failure(
    stage: Stage, stack: Stack | None, before: Live | None, seen: str | None, said: str
) -> RefusedError | CannotDoError:
    """Find out why the CLI failed. What CloudFormation still works on is taken back."""
    rooms = stage.names.rooms_stack
    try:
        now = read_stack(stage, rooms)
        events = read_events(stage, rooms, after=seen)
    except CannotDoError as error:
        return CannotDoError(
            f"`cdk deploy` failed, and what CloudFormation did cannot be seen ({error}): look with"
            f"\naws cloudformation describe-stacks --stack-name {rooms}\n  {said}"
        )
    if now and now.status in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}:
        # The CLI has lost it, as with a network that is gone or credentials that have expired.
        return LeftDeploymentError(take_back(stage, stack, before), said)
    stands = _stands(stage, before)
    stopped = what_stopped(stage, events, now.outputs if now else {})
    if stopped is None:
        return CannotDoError(
            f"`cdk deploy` failed, and not for what CloudFormation did; {stands}\n  {said}"
        )
    return StoppedError(stage, stopped, stands)


def _is_first(before: Live | None, packaging: Packaging) -> bool:
    return before is None or before.packaging != packaging


def _stands(stage: Stage, before: Live | None) -> str:
    """Say where the alias is, after a deployment that failed."""
    try:
        stack = read_stack(stage, stage.names.rooms_stack)
        live = read_live(stage, stack.outputs if stack else {})
    except CannotDoError as error:
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
        " else moved the alias or the function's code\n"
        f"What is wrong: python -m release diagnose {stage.name}"
    )
