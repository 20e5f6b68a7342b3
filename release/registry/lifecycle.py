"""The images that a repository's lifecycle policy can ever expire.

Rules A4 and A5: ECR does not know that Lambda uses an image, and Lambda pulls it again long after
it was deployed. So neither age nor number are considered here: what a rule can select, it will
select one day.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from config.project import Stage
from imagecheck.errors import FailedError

UNTAGGED_ONLY: Final = (
    '{"rules":[{"rulePriority":1,"description":"Failed pushes","selection":{"tagStatus":"untagged"'
    ',"countType":"sinceImagePushed","countNumber":7,"countUnit":"days"},"action":{"type":"expire"}}'
    "]}"
)
"""The policy that constructs/image_repository.py has: no rule that fits what has a tag."""

_NO_POLICY = '{"rules": []}'


@dataclass(frozen=True)
class Danger:
    """A rule that can take an image away."""

    rule: int
    """Its ``rulePriority``: no two rules have the same."""
    description: str
    action: Literal["expire", "archive"]
    selection: str
    """What it selects, as in ``tags prod*``."""

    def __str__(self) -> str:
        """As in ``rule 2 ("Failed pushes": untagged) can expire it``."""
        named = f'"{self.description}": ' if self.description else ""
        return f"rule {self.rule} ({named}{self.selection}) can {self.action} it"


def put_lifecycle_policy(stage: Stage) -> str:
    """Return the command that puts the stack's policy back in the place of one made by hand.

    CloudFormation compares templates, not what is there, and so sees no change.
    """
    return (
        f"aws ecr put-lifecycle-policy --repository-name {stage.names.repository}"
        f" --lifecycle-policy-text '{UNTAGGED_ONLY}' --region {stage.settings.region}"
    )


def endangered(policy: str | None, images: Mapping[str, Collection[str]]) -> dict[str, Danger]:
    """Return the images that a rule can expire or archive, with that rule.

    Args:
        policy: the JSON text of the lifecycle policy; None: the repository has none.
        images: the tags of each image that is in use, by its digest.

    Raises:
        FailedError: the policy has something that is not known here, so nothing can be said.

    """
    try:
        rules = msgspec.json.decode(policy or _NO_POLICY, type=_Policy).rules
    except (msgspec.DecodeError, RecursionError) as error:
        raise FailedError(
            f"the repository's lifecycle policy has an unknown form: {error}",
            hint="see it: aws ecr get-lifecycle-policy",
        ) from error
    # Rules for the archive take what is in it already, and no function can use that.
    rules = sorted(
        (rule for rule in rules if rule.selection.storage_class == "standard"),
        key=lambda rule: rule.rule_priority,
    )
    return {
        digest: danger
        for digest, tags in images.items()
        # A rule that an image fits keeps all later rules from it.
        for danger in [next((_danger(r) for r in rules if _fits(r.selection, tags)), None)]
        if danger
    }


class _Selection(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    tag_status: Literal["tagged", "untagged", "any"]
    tag_prefix_list: list[str] = []
    tag_pattern_list: list[str] = []
    storage_class: Literal["standard", "archive"] = "standard"
    count_type: str = ""
    count_unit: str = ""
    count_number: int = 0


class _Action(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    type: Literal["expire", "transition"]
    target_storage_class: str = ""


class _Rule(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    rule_priority: int
    description: str = ""
    selection: _Selection
    action: _Action


class _Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rules: list[_Rule]


def _fits(selection: _Selection, tags: Collection[str]) -> bool:
    """Whether a rule selects an image with these tags."""
    match selection.tag_status:
        case "any":
            return True
        case "untagged":
            return not tags
        case "tagged":
            patterns = [_pattern(text) for text in _patterns(selection)]
            # Each has to be met, by one tag or by several.
            return bool(tags) and all(any(p.fullmatch(tag) for tag in tags) for p in patterns)


def _patterns(selection: _Selection) -> list[str]:
    return [*(f"{prefix}*" for prefix in selection.tag_prefix_list), *selection.tag_pattern_list]


def _pattern(text: str) -> re.Pattern[str]:
    """Translate a pattern: ``*`` is any text, also none, and all else is itself."""
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)


def _danger(rule: _Rule) -> Danger:
    selection = rule.selection
    chosen = {"any": "every image", "untagged": "untagged"}.get(selection.tag_status)
    return Danger(
        rule=rule.rule_priority,
        description=rule.description,
        action="expire" if rule.action.type == "expire" else "archive",
        selection=chosen or "tags " + " and ".join(_patterns(selection)),
    )
