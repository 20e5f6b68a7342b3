"""The checks before a deployment changes anything."""

from typing import Final

from config.project import Project, Stage
from imagecheck.errors import FailedError
from imagecheck.image.aws import aws_errors
from imagecheck.image.layer_cache import LayerCache, default_folder
from imagecheck.progress import ProgressBar
from imagecheck.terminal import step, warn
from release.boot.boot import boot_image
from release.build.gates import passed_gates
from release.build.record import read_record
from release.deploy.live import Stack
from release.errors import RefusedError
from release.registry.guard import guard
from release.registry.repository import StageRepository

_KEPT_UNRESERVED: Final = 100


def require_idle(stage: Stage, stack: Stack | None) -> None:
    """Require that CloudFormation can change the stack. Raises RefusedError when it cannot."""
    if stack is None or stack.status == "REVIEW_IN_PROGRESS":
        return
    if stack.status.endswith("_IN_PROGRESS"):
        raise RefusedError(
            f"the stack {stack.name} is {stack.status}: another deployment is in progress",
            hint="wait until it has ended, and try again",
        )
    if stack.status in {"UPDATE_ROLLBACK_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED"}:
        raise RefusedError(
            f"the stack {stack.name} is {stack.status}, and must be repaired before it can change",
            hint=f"python -m release diagnose {stage.name}",
        )


def require_concurrency(stage: Stage, function: str) -> None:
    """Require that the account can reserve what the settings reserve for a function.

    CloudFormation would be refused in the middle of the deployment. Lambda keeps 100 environments
    for functions without a reservation, or all of a smaller limit, as new accounts have it:
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html

    Raises:
        RefusedError: it cannot.
        AwsError: AWS cannot be asked.

    """
    wanted = stage.settings.reserved_concurrency
    if wanted is None:
        return
    client = stage.client("lambda")
    with aws_errors("the account's concurrency"):
        limit = client.get_account_settings()["AccountLimit"]
        try:
            found = client.get_function_concurrency(FunctionName=function)
        except client.exceptions.ResourceNotFoundException:
            found = {}
    total, free = limit["ConcurrentExecutions"], limit["UnreservedConcurrentExecutions"]
    kept = min(_KEPT_UNRESERVED, total)
    reserved = found.get("ReservedConcurrentExecutions") or 0
    if free + reserved - wanted >= kept:
        return
    raise RefusedError(
        f"{stage.name} reserves {wanted} environments for {function}, and the account in"
        f" {stage.region} has {max(free + reserved - kept, 0)} of its {total} to reserve: Lambda"
        f" keeps {kept} for all other functions",
        hint="ask for more, which takes a day or so: aws service-quotas"
        " request-service-quota-increase --service-code lambda --quota-code L-B99A9384"
        f" --desired-value {max(1000, total + wanted)} --region {stage.region}\n"
        'or go without: remove "reservedConcurrency" from context.stages.'
        f"{stage.name} of cdk.json",
    )


def require_image(stage: Stage, digest: str, *, skip_lifecycle: bool) -> None:
    """Require that the image is there and stays there, as do those that are live.

    Raises:
        RefusedError: an image is missing, or a lifecycle rule can take one away.
        FailedError: AWS cannot be asked.

    """
    if skip_lifecycle:
        StageRepository(stage).require(digest)
    else:
        for warning in guard(stage, [digest]):
            warn(f"warning: {warning}")


def require_booted(project: Project, stage: Stage, digest: str, *, skip: bool) -> None:
    """Require that an image without a canary has been booted: before, or else now.

    Raises:
        RefusedError: it does not start, or was built here and not booted.
        FailedError: it cannot be booted here.

    """
    if skip:
        return
    if "boot" in passed_gates(project.root, digest, stage.settings.architecture):
        return
    if _built_here(project, stage) == digest:
        raise RefusedError(
            f"{digest} has not passed `boot`, and no canary would watch it",
            hint=f"python -m release boot {stage.name}\n{_skipping(stage)}",
        )
    try:
        with step(f"booting {digest}, which was not built here"), ProgressBar() as progress:
            reference = StageRepository(stage).reference(digest)
            cache = LayerCache(default_folder())
            booted = boot_image(project, stage, reference, cache=cache, progress=progress)
    except FailedError as error:
        raise FailedError(
            f"it cannot be found out whether {digest} starts, and no canary would watch it: "
            + error.message,
            hint="\n".join(filter(None, (error.hint, _skipping(stage)))),
        ) from error
    if failure := booted.failure:
        found = ": ".join(filter(None, (failure.at, failure.error_type, failure.message)))
        raise RefusedError(
            f"{digest} does not start, and no canary would watch it: {found}",
            hint=f"python -m release boot {stage.name} --image {reference}",
        )


def _built_here(project: Project, stage: Stage) -> str | None:
    try:
        return read_record(project.root, stage.name).digest
    except FailedError:
        return None


def _skipping(stage: Stage) -> str:
    return f"or, if you must: python -m release deploy {stage.name} --skip-boot"
