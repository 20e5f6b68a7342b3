"""A lifecycle policy as ECR applies it on one day, written down from its documentation.

https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html#lp_evaluation_rules
"""

import fnmatch
from collections.abc import Sequence
from typing import Any

from release.registry.repository import StoredImage


def taken(
    rules: Sequence[dict[str, Any]], images: Sequence[StoredImage], day: Any
) -> dict[str, int]:
    """Return the digest of each image that goes on that day, with the priority of its rule.

    All rules are evaluated at the same time, over all images, and then applied by priority: an
    image that meets the tagging requirements of a rule cannot go by a rule of lower priority.
    """
    marked: dict[int, set[str]] = {}
    identified: dict[int, set[str]] = {}
    for rule in rules:
        selection, priority = rule["selection"], rule["rulePriority"]
        fitting = [image for image in images if meets(selection, image.tags)]
        identified[priority] = {image.digest for image in fitting}
        number = selection["countNumber"]
        if selection["countType"] == "imageCountMoreThan":
            youngest_first = sorted(fitting, key=lambda image: image.pushed_at, reverse=True)
            marked[priority] = {image.digest for image in youngest_first[number:]}
        else:
            marked[priority] = {
                one.digest for one in fitting if (day - one.pushed_at).days > number
            }
    found: dict[str, int] = {}
    settled: set[str] = set()
    for priority in sorted(identified):
        for digest in identified[priority] - settled:
            if digest in marked[priority]:
                found[digest] = priority
        settled |= identified[priority]
    return found


def meets(selection: dict[str, Any], tags: frozenset[str]) -> bool:
    """Whether an image with these tags meets the tagging requirements of a selection."""
    match selection["tagStatus"]:
        case "any":
            return True
        case "untagged":
            return tags == frozenset()
        case _:
            prefixes = selection.get("tagPrefixList", [])
            wanted = [*selection.get("tagPatternList", []), *(f"{one}*" for one in prefixes)]
            return all(fnmatch.filter(tags, pattern) for pattern in wanted)
