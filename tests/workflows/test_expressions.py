"""Expressions: what an ``if`` means, and what a text becomes."""

from typing import Any

import pytest

from tests.support.workflows.expressions import ExpressionError, Expressions, Status

WELL = Status()
FAILED = Status(failed=True)
CANCELLED = Status(cancelled=True)
FAILED_AND_CANCELLED = Status(failed=True, cancelled=True)
SKIPPED = Status(skipped=True)
CONTEXTS: dict[str, Any] = {
    "vars": {"SET": "yes", "ROLES": '{"dev": "a role"}'},
    "inputs": {"emergency": False, "stage": "dev"},
    "steps": {"smoke": {"outcome": "failure"}},
}


@pytest.mark.parametrize(
    ("condition", "holds_for"),
    [
        (None, [WELL]),
        (True, [WELL]),
        ("success()", [WELL]),
        ("vars.SET == 'yes'", [WELL]),
        ("${{ vars.SET == 'yes' }}", [WELL]),
        # Both sides are asked for, as if they were in brackets.
        ("vars.SET == 'no' || vars.SET == 'yes'", [WELL]),
        ("failure()", [FAILED]),
        ("failure() && steps.smoke.outcome == 'failure'", [FAILED]),
        ("failure() && steps.deploy.outcome == 'failure'", []),
        ("cancelled()", [CANCELLED, FAILED_AND_CANCELLED]),
        ("${{ !cancelled() }}", [WELL, FAILED, SKIPPED]),
        ("always()", [WELL, FAILED, CANCELLED, FAILED_AND_CANCELLED, SKIPPED]),
        ("vars.SET == 'no'", []),
        (False, []),
    ],
    ids=str,
)
def test_a_condition_holds_when_all_is_well_unless_it_asks_for_something_else(
    github_expressions: Expressions, condition: str | bool | None, holds_for: list[Status]
) -> None:
    every = [WELL, FAILED, CANCELLED, FAILED_AND_CANCELLED, SKIPPED]
    held = [each for each in every if github_expressions.holds(condition, CONTEXTS, each)]
    assert held == holds_for


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("plain", "plain"),
        ("stage-${{ inputs.stage }}", "stage-dev"),
        ("${{ vars.SET }} and ${{inputs.stage}}", "yes and dev"),
        ("${{ vars.UNSET }}", ""),
        ("${{ inputs.emergency && 'yes' || '' }}", ""),
        ("${{ inputs.emergency }}", "false"),
        ("${{ fromJSON(vars.ROLES)[inputs.stage] }}", "a role"),
    ],
)
def test_a_text_gets_its_values(github_expressions: Expressions, text: str, becomes: str) -> None:
    assert github_expressions.interpolated(text, CONTEXTS) == becomes


@pytest.mark.parametrize("text", ["${{ inputs. }}", "${{ matrix.stage }}", "${{ odd() }}"])
def test_what_github_would_refuse_is_an_error(github_expressions: Expressions, text: str) -> None:
    with pytest.raises(ExpressionError):
        github_expressions.interpolated(text, CONTEXTS)
    assert github_expressions.interpolated("${{ vars.SET }}", CONTEXTS) == "yes"
