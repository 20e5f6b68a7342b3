"""The steps that change an AWS account, and those that ask what was deployed."""

import time
from typing import Final

from config.image_lock import ImagePin
from config.project import Stage
from contract.run import ContractTestError
from imagecheck.errors import FailedError
from imagecheck.image.aws import aws_errors
from imagecheck.terminal import warn
from release.deploy.cdk_deploy import (
    CdkFailedError,
    cdk_bootstrap,
    cdk_deploy_page,
    cdk_deploy_registry,
)
from release.deploy.deploy import deploy
from release.deploy.existing import require_nothing_existing
from release.deploy.history import read_history
from release.deploy.live import Stack, read_stack, stack_outputs
from release.deploy.page import PageError, look_at_page
from release.deploy.smoke import smoke
from release.errors import RefusedError
from release.ship.shipment import Shipment
from release.ship.step import Step, never_done

# https://docs.aws.amazon.com/cdk/v2/guide/bootstrapping-env.html
_VERSION: Final = "/cdk-bootstrap/hnb659fds/version"
_TOOLKIT: Final = "CDKToolkit"
_LOOK_SECONDS: Final = 2


def _bootstrapped(shipment: Shipment) -> str | None:
    versions = []
    for region in shipment.stage.regions:
        ssm = shipment.stage.client("ssm", region)
        with aws_errors(f"the parameter {_VERSION} in {region}"):
            try:
                versions.append(ssm.get_parameter(Name=_VERSION)["Parameter"]["Value"])
            except ssm.exceptions.ParameterNotFound:
                return None
    return f"version {' and '.join(dict.fromkeys(versions))}"


def _bootstrap(shipment: Shipment) -> str:
    _wait_until_idle(shipment, _TOOLKIT)
    cdk_bootstrap(shipment.project, shipment.stage, shipment.environments)
    return " ".join(shipment.environments)


def _registry_deployed(shipment: Shipment) -> str | None:
    stack = read_stack(shipment.stage, shipment.stage.names.registry_stack)
    is_there = stack and stack.status in {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
    }
    return "it is deployed" if is_there else None


def _deploy_registry(shipment: Shipment) -> str:
    _, assembly = shipment.pinned()
    _wait_until_idle(shipment, shipment.stage.names.registry_stack)
    stage = shipment.stage
    require_nothing_existing(stage, read_stack(stage, stage.names.rooms_stack))
    try:
        cdk_deploy_registry(shipment.project, shipment.stage, assembly)
    except CdkFailedError as failed:
        raise FailedError(f"`cdk deploy` failed:\n  {failed}") from failed
    return shipment.stage.names.registry_stack


def _deploy(shipment: Shipment) -> str:
    pin, assembly = shipment.pinned()
    _wait_until_idle(shipment, shipment.stage.names.rooms_stack)
    _warn_of_the_way_back(shipment.stage, pin)
    deployed = deploy(
        shipment.project,
        shipment.stage,
        pin=pin,
        assembly=assembly,
        emergency=False,
        skip_boot=shipment.options.skip_boot,
        skip_lifecycle=False,
        ask=False,
    )
    shipment.deployed = deployed
    # It is live: from here on, an interruption does not take the pin back.
    shipment.lock_change.keep()
    if deployed.before is None:
        shipment.alarm_topic = stack_outputs(shipment.stage).get("AlarmTopicArn")
        return f"version {deployed.after.version}, the first"
    before, after = deployed.before.version, deployed.after.version
    return f"version {after}, as before" if before == after else f"version {before} → {after}"


def _warn_of_the_way_back(stage: Stage, pin: ImagePin) -> None:
    """Warn that the image was live before another one: somebody may have rolled back from it."""
    digests = [release.pin.digest for release in read_history(stage) if release.pin]
    if pin.digest in digests and digests[-1] != pin.digest:
        warn(
            f"warning: {stage.name} ran this image before, and runs {digests[-1]} now. If that was"
            " a rollback, this undoes it"
        )


def _page(shipment: Shipment) -> str:
    _, assembly = shipment.pinned()
    stage = shipment.stage
    _wait_until_idle(shipment, stage.names.web_stack)
    try:
        cdk_deploy_page(shipment.project, stage, assembly, ask=False)
    except CdkFailedError as failed:
        raise RefusedError(
            f"the page of {stage.name} was not deployed; the old one is still there\n  {failed}"
        ) from failed
    stack = read_stack(stage, stage.names.web_stack)
    if stack is None or "PageUrl" not in stack.outputs:
        raise FailedError(f"the stack {stage.names.web_stack} has no output PageUrl")
    url = shipment.page_url = stack.outputs["PageUrl"]
    try:
        files = look_at_page(url)
    except PageError as wrong:
        raise RefusedError(
            f"the page of {stage.name} is not as it should be: {wrong}",
            details={"cause": str(wrong)},
        ) from wrong
    return f"{url}, {len(files)} files"


def _smoke(shipment: Shipment) -> str:
    assert shipment.deployed  # noqa: S101  (the steps are in order)
    url = shipment.deployed.api_url
    try:
        answered = smoke(url, key=shipment.deployed.after.key)
    except ContractTestError as wrong:
        raise RefusedError(
            f"{shipment.stage.name} is deployed, but {url} answers wrongly: {wrong}",
            hint=f"python -m release diagnose {shipment.stage.name}",
            details={"cause": str(wrong)},
        ) from wrong
    return f"{url}, {len(answered)} requests"


def _wait_until_idle(shipment: Shipment, name: str) -> None:
    """Wait for a deployment that a run before this one has left in CloudFormation's hands."""
    if not _is_busy(read_stack(shipment.stage, name)):
        return
    warn(f"waiting for another deployment of {name} to end")
    while _is_busy(read_stack(shipment.stage, name)):
        time.sleep(_LOOK_SECONDS)


def _is_busy(stack: Stack | None) -> bool:
    return bool(
        stack
        and stack.status.endswith("_IN_PROGRESS")
        # A change set that was never carried out: the CDK CLI makes another one.
        and stack.status != "REVIEW_IN_PROGRESS"
    )


BOOTSTRAP: Final = Step(name="bootstrap", done=_bootstrapped, run=_bootstrap, runs_cdk=True)
REGISTRY: Final = Step(
    name="registry", done=_registry_deployed, run=_deploy_registry, runs_cdk=True
)
DEPLOY: Final = Step(name="deploy", done=never_done, run=_deploy, runs_cdk=True)
PAGE: Final = Step(name="page", done=never_done, run=_page, runs_cdk=True)
SMOKE: Final = Step(name="smoke", done=never_done, run=_smoke)
