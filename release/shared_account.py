"""Stages that share an account, and what that means."""

from collections.abc import Sequence
from typing import Final

from config.project import Project, Stage
from imagecheck.errors import FailedError
from imagecheck.terminal import warn
from release.deploy.live import read_stack

# It is for the emulated account, on this machine.
_EMULATED: Final = "local"
# A release may come by here twice.
_warned: set[tuple[str, ...]] = set()


def warn_if_shared(stage: Stage, others: Sequence[Stage]) -> None:
    """Warn that a stage is in one account with others. Raises AwsError when AWS says no."""
    names = [other.name for other in others if not {_EMULATED} & {other.name, stage.name}]
    if not names or (stage.name, *names) in _warned:
        return
    _warned.add((stage.name, *names))
    together = f"{', '.join(names)} and {stage.name}"
    warn(
        f"warning: {together} are in one account ({stage.account}). They share its limits, such as"
        " the concurrency of Lambda, and its bill; and whoever may deploy or delete one of them may"
        " do it to the other, since the roles of `cdk bootstrap` are the account's. Two accounts"
        " are safer: docs/runbook.md, One account or two."
    )


def stages_beside(project: Project, stage: Stage) -> list[Stage]:
    """Return the other stages of a project whose registry is in the account of the credentials.

    One that may not be asked about, as with the role of a pipeline's job, is left out: a warning
    that is wrong helps nobody.
    """
    others = [project.stage(name) for name in project.context["stages"] if name != stage.name]
    return [other for other in others if other.name != _EMULATED and _is_deployed(other)]


def _is_deployed(stage: Stage) -> bool:
    try:
        stack = read_stack(stage, stage.names.registry_stack)
    except FailedError:
        return False
    return stack is not None and stack.status != "REVIEW_IN_PROGRESS"
