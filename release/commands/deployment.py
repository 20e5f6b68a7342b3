"""The deployment that `deploy` and `rollback` share: its options, its end, its result."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from config.image_lock import ImagePin
from config.project import Project, Stage
from contract.run import ContractStep, ContractTestError
from imagecheck.errors import FailedError
from imagecheck.terminal import step, warn
from release.cloud_assembly import CloudAssembly
from release.commands.output import (
    print_result,
    result_fields,
    step_lines,
)
from release.deploy.deploy import Deployed, OtherIsLiveError, StoppedError, deploy
from release.deploy.live import Packaging
from release.deploy.smoke import smoke
from release.errors import RefusedError


class DeployResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was deployed. ``digest`` is null for a zip.

    From ``functionName`` on, a field is null that is not known: the deployment was stopped before.
    ``steps`` is null where the API was not tested.
    """

    stage: str
    account: str
    region: str
    packaging: Packaging
    digest: str | None
    emergency: bool
    function_name: str | None = None
    version_before: str | None = None
    version_after: str | None = None
    api_url: str | None = None
    steps: tuple[ContractStep, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class DeploymentOptions:
    """Options of `deploy` and `rollback`. ``url`` is that of the API, validated, where
    it is another one than the stack's."""

    command: str
    emergency: bool
    skip_boot: bool
    skip_lifecycle: bool
    skip_smoke: bool
    import_existing: bool = False
    url: str | None
    yes: bool
    json: bool


def run_deployment(
    project: Project,
    stage: Stage,
    pin: ImagePin | None,
    options: DeploymentOptions,
    *,
    assembly: CloudAssembly | None = None,
) -> Deployed:
    """Deploy. Raises the errors of ``deploy``; a refusal carries the result."""
    ask = sys.stdin.isatty() and sys.stderr.isatty() and not options.yes
    try:
        return deploy(
            project,
            stage,
            pin=pin,
            assembly=assembly,
            emergency=options.emergency,
            skip_boot=options.skip_boot,
            skip_lifecycle=options.skip_lifecycle,
            import_existing=options.import_existing,
            ask=ask,
        )
    except (StoppedError, OtherIsLiveError) as error:
        error.result = result_fields(_result(stage, pin, options))
        raise


def finish(
    stage: Stage, pin: ImagePin | None, options: DeploymentOptions, deployed: Deployed
) -> None:
    """Test the API of what was deployed, and print the result.

    Raises RefusedError when it answers wrongly, FailedError when it does not answer.
    """
    url = options.url or deployed.api_url
    steps: Sequence[ContractStep] | None = None
    if options.skip_smoke:
        warn("--skip-smoke: NOT tested whether the API answers")
    else:
        steps = _smoke(stage, pin, options, deployed, url)
    print_result(
        options.command,
        _result(stage, pin, options, deployed, steps),
        "\n".join(_lines(stage, options, deployed, url, steps)),
        json=options.json,
    )


def _smoke(
    stage: Stage, pin: ImagePin | None, options: DeploymentOptions, deployed: Deployed, url: str
) -> Sequence[ContractStep]:
    name = f"{stage.name} is deployed (version {deployed.after.version})"
    again = f"python -m release smoke {url}"
    if deployed.after.key:  # The command finds it by the stage.
        again = f"python -m release smoke {stage.name}" + (f" --url {url}" if options.url else "")
    try:
        with step(f"testing {url}"):
            return smoke(url, key=deployed.after.key)
    except ContractTestError as wrong:
        refused = RefusedError(
            f"{name}, but {url} answers wrongly: {wrong}",
            hint=f"find the cause: python -m release diagnose {stage.name}\n"
            f"roll back: python -m release rollback {stage.name}",
            details={"gate": "smoke", "cause": str(wrong)},
        )
        refused.result = result_fields(_result(stage, pin, options, deployed, wrong.done))
        raise refused from wrong
    except FailedError as error:
        failed = FailedError(
            f"{name}, but the test of its API was not finished: {error}", hint=again
        )
        failed.result = result_fields(_result(stage, pin, options, deployed))
        raise failed from error
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"but {name}; the test of its API was not finished\n{again}"
        ) from None


def _lines(
    stage: Stage,
    options: DeploymentOptions,
    deployed: Deployed,
    url: str,
    steps: Sequence[ContractStep] | None,
) -> list[str]:
    before, after = deployed.before, deployed.after
    return [
        f"{stage.name} is live" + (", deployed as an EMERGENCY" if options.emergency else ""),
        f"  runs     {after.digest or 'a zip'}",
        f"  version  {before.version if before else 'none'} → {after.version}"
        f" of {after.function_name}",
        f"  API      {url}",
        *(f"  {line}" for line in step_lines(steps or [])),
    ]


def _result(
    stage: Stage,
    pin: ImagePin | None,
    options: DeploymentOptions,
    deployed: Deployed | None = None,
    steps: Sequence[ContractStep] | None = None,
) -> DeployResult:
    before = deployed.before if deployed else None
    return DeployResult(
        stage=stage.name,
        account=stage.account,
        region=stage.region,
        packaging="image" if pin else "zip",
        digest=pin.digest if pin else None,
        emergency=options.emergency,
        function_name=deployed.after.function_name if deployed else None,
        version_before=before.version if before else None,
        version_after=deployed.after.version if deployed else None,
        api_url=deployed.api_url if deployed else None,
        steps=None if steps is None else tuple(steps),
    )
