"""Permissions that a change gives or takes, and whether more is allowed by it than before."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from release.pipeline.changes.model import PermissionChange, ResourceChange
from release.pipeline.changes.template_diff import RuleDiff, StatementDiff, TemplateDiff


def permissions(
    diff: TemplateDiff, changes: Sequence[ResourceChange]
) -> Iterator[PermissionChange]:
    """Yield what differs in IAM, in security groups, and in the guards (``_GUARDS``)."""
    gone = {change.logical_id for change in changes if change.kind == "removed"}
    for statement in diff.statements:
        nothing_left = _is_about(statement, gone)
        yield PermissionChange(
            added=statement.added,
            wider=not nothing_left and _is_wider(statement, diff.statements),
            sort="statement",
            effect=statement.effect,
            who=statement.principals,
            what=statement.actions,
            on=statement.resources,
            condition=statement.condition,
        )
    for policy in diff.managed_policies:
        yield PermissionChange(
            added=policy.added,
            wider=policy.added,
            sort="managed policy",
            who=(policy.identity,),
            what=(policy.policy,),
        )
    for rule in diff.inbound_rules:
        yield _rule(rule, inbound=True)
    for rule in diff.outbound_rules:
        yield _rule(rule, inbound=False)
    for change in changes:
        guards = _GUARDS.get(change.type, frozenset())
        for guard in sorted(guards & {re.split(r"[.[]", v.path)[0] for v in change.values}):
            yield PermissionChange(
                added=True, wider=True, sort="guard", what=(guard,), on=(change.logical_id,)
            )
    if diff.identity_center:
        yield PermissionChange(added=True, wider=True, sort="IAM Identity Center")


# Properties that forbid, or ask for credentials; CDK's comparison ignores them.
_GUARDS: Final[Mapping[str, frozenset[str]]] = {
    "AWS::ApiGatewayV2::Route": frozenset({"AuthorizationType", "AuthorizerId"}),
    "AWS::IAM::Role": frozenset({"PermissionsBoundary"}),
    "AWS::IAM::User": frozenset({"PermissionsBoundary"}),
    "AWS::Lambda::Url": frozenset({"AuthType"}),
    "AWS::S3::Bucket": frozenset({"PublicAccessBlockConfiguration"}),
}


def _rule(rule: RuleDiff, *, inbound: bool) -> PermissionChange:
    return PermissionChange(
        added=rule.added,
        wider=rule.added,
        sort="inbound rule" if inbound else "outbound rule",
        who=(rule.peer,),
        what=(rule.protocol,),
        on=(rule.group,),
    )


def _is_about(statement: StatementDiff, logical_ids: set[str]) -> bool:
    """Whether a statement is about nothing but resources of these ids, as CDK writes them."""
    targets = (re.match(r"\$\{(\w+)[.}]", target) for target in statement.resources)
    return bool(statement.resources) and all(one and one[1] in logical_ids for one in targets)


def _is_wider(statement: StatementDiff, all_of_them: Sequence[StatementDiff]) -> bool:
    """Whether a statement that came or went allows more than before.

    What is allowed newly is, unless something that went allowed it all; what is denied no longer
    is, unless something that came denies it all. What cannot be read may be.
    """
    match statement.effect:
        case "Unknown":
            return True
        case "Allow" if not statement.added:
            return False
        case "Deny" if statement.added:
            return False
        case _:
            return not any(
                other.added != statement.added and _covers(other, statement)
                for other in all_of_them
            )


def _covers(wide: StatementDiff, narrow: StatementDiff) -> bool:
    """Whether one statement is about all that another is about; in doubt, not."""
    if wide.effect != narrow.effect or wide.condition not in ("", narrow.condition):
        return False
    return all(
        _has_all(getattr(wide, part), getattr(narrow, part))
        for part in ("principals", "actions", "resources")
    )


def _has_all(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    if any(target.startswith("all but ") for target in (*wide, *narrow)):
        return wide == narrow
    return set(narrow) <= set(wide)
