"""The images that a repository's lifecycle policy can take away while they are in use.

Rules A4 and A5: ECR does not know that Lambda uses an image, and Lambda pulls it again long after
it was deployed. So what a rule can select, it will select one day; how young an image is and how
few there are does not matter.

The first rule that an image fits decides alone: no later rule can take the image, also where the
first one never does. That is the only way to keep an image, and people write such rules in two
ways: for a tag that one image only can have, and with a number that is not reached.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
https://docs.aws.amazon.com/AmazonECR/latest/userguide/lifecycle_policy_parameters.html
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec

from config.project import Stage
from imagecheck.errors import FailedError
from release.registry.repository import StoredImage

UNTAGGED_ONLY: Final = (
    '{"rules":[{"rulePriority":1,"description":"Failed pushes","selection":{"tagStatus":"untagged"'
    ',"countType":"sinceImagePushed","countNumber":7,"countUnit":"days"},"action":{"type":"expire"}}'
    "]}"
)
"""The policy that constructs/image_repository.py has: no rule that fits what has a tag."""

KEPT_IMAGES: Final = 100
"""So many images with a tag of the rule's own are more than are deployed before the next look.

A rule for what every push brings has no such number: where builds of branches are pushed, a hundred
are a few days, https://github.com/chanzuckerberg/single-cell-data-portal/issues/5885.
"""
KEPT_DAYS: Final = 3650

_NO_POLICY = '{"rules": []}'
_OF_REVISIONS = re.compile(r"[0-9a-f*]*")


@dataclass(frozen=True)
class Danger:
    """A rule that can take an image away."""

    rule: int
    """Its ``rulePriority``: no two rules have the same."""
    description: str
    action: Literal["expire", "archive"]
    selection: str
    """What it selects, as in ``tags prod*``."""
    limit: str
    """When it takes one of these, as in ``it keeps the newest 30``."""

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
        f" --lifecycle-policy-text '{UNTAGGED_ONLY}' --region {stage.region}"
    )


def endangered(
    policy: str | None,
    images: Mapping[str, Collection[str]],
    stored: Collection[StoredImage] = (),
) -> dict[str, Danger]:
    """Return the images that a rule can expire or archive, with that rule.

    Args:
        policy: the JSON text of the lifecycle policy; None: the repository has none.
        images: the tags of each image that is in use, by its digest.
        stored: the images of the repository that are not archived. With them, a rule that keeps
            many is a danger to an image that is no longer in the newer half of these; without them
            its number alone counts.

    Raises:
        FailedError: the policy has something that is not known here, so nothing can be said.

    """
    rules = _rules(policy)
    pushed = {image.digest: image for image in stored}
    dangers = {}
    for digest, tags in images.items():
        # A rule that an image fits keeps all later rules from it.
        rule = next((rule for rule in rules if _fits(rule.selection, tags)), None)
        if rule and not _keeps(rule.selection, pushed.get(digest), stored):
            dangers[digest] = _danger(rule)
    return dangers


def keeps_many(policy: str | None) -> bool:
    """Whether a rule keeps so many images that it matters how many are newer.

    Raises FailedError as ``endangered`` does.
    """
    return any(
        rule.selection.count_type == "imageCountMoreThan"
        and rule.selection.tag_status == "tagged"
        and rule.selection.count_number >= KEPT_IMAGES
        for rule in _rules(policy)
    )


class _Selection(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True
):
    tag_status: Literal["tagged", "untagged", "any"]
    tag_prefix_list: list[str] = []
    tag_pattern_list: list[str] = []
    storage_class: Literal["standard", "archive"] = "standard"
    count_type: Literal[
        "imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned"
    ]
    count_unit: Literal["days"] = "days"
    count_number: Annotated[int, msgspec.Meta(ge=1)]


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


def _rules(policy: str | None) -> list[_Rule]:
    """Return the rules for images that are not archived, in the order of their priority."""
    try:
        rules = msgspec.json.decode(policy or _NO_POLICY, type=_Policy).rules
    except (msgspec.DecodeError, RecursionError) as error:
        raise FailedError(
            f"the repository's lifecycle policy has an unknown form: {error}",
            hint="see it: aws ecr get-lifecycle-policy",
        ) from error
    # Rules for the archive take what is in it already, and no function can use that.
    return sorted(
        (rule for rule in rules if rule.selection.storage_class == "standard"),
        key=lambda rule: rule.rule_priority,
    )


def _keeps(
    selection: _Selection,
    image: StoredImage | None,
    stored: Collection[StoredImage],
) -> bool:
    """Whether a rule that an image fits will not take it."""
    number = selection.count_number
    if selection.count_type != "imageCountMoreThan":
        return number >= KEPT_DAYS
    if any("*" not in pattern for pattern in selection.tag_pattern_list):
        # One image has this tag, and it takes more than one to exceed any number.
        return True
    if number < KEPT_IMAGES or _counts_pushes(selection):
        return False
    return image is None or 2 * _place(selection, image, stored) <= number


def _counts_pushes(selection: _Selection) -> bool:
    """Whether a rule also fits an image that was only pushed, and has its revision as a tag."""
    return selection.tag_status != "tagged" or all(
        map(_OF_REVISIONS.fullmatch, _patterns(selection))
    )


def _place(selection: _Selection, image: StoredImage, stored: Collection[StoredImage]) -> int:
    """Return how many images a rule counts down to this one, which is one of them."""
    return 1 + sum(
        other.pushed_at >= image.pushed_at
        for other in stored
        if other.digest != image.digest and _fits(selection, other.tags)
    )


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
        limit=_limit(selection),
    )


def _limit(selection: _Selection) -> str:
    number = selection.count_number
    if selection.count_type == "imageCountMoreThan":
        return f"it keeps the newest {number}"
    what = "pulled" if selection.count_type == "sinceImagePulled" else "pushed"
    return f"{number} days after it was {what}"
