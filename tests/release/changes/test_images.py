"""What becomes of the image that each stage runs."""

from msgspec.structs import replace

from release.changes.images import image_changes
from tests.release.changes.states import PIN

NEXT = replace(PIN, digest="sha256:" + "2" * 64)


def test_pins_that_stay_are_not_told() -> None:
    assert not list(image_changes({"dev": PIN}, {"dev": PIN}))


def test_pins_that_come_go_or_change_are_told_by_stage() -> None:
    found = image_changes({"prd": PIN, "old": PIN}, {"prd": NEXT, "dev": NEXT})
    assert [(one.stage, one.old, one.new) for one in found] == [
        ("dev", None, NEXT),
        ("old", PIN, None),
        ("prd", PIN, NEXT),
    ]


def test_an_image_that_another_stage_has_had_is_promoted() -> None:
    (one,) = image_changes({"dev": NEXT, "prd": PIN}, {"dev": NEXT, "prd": NEXT})
    assert one.promoted_from == "dev"
    (new,) = image_changes({"dev": PIN}, {"dev": NEXT})
    assert new.promoted_from is None


def test_the_image_that_a_stage_has_already_is_not_promoted() -> None:
    later = replace(PIN, pinned_at="2026-02-02T00:00:00Z")
    (one,) = image_changes({"dev": PIN, "prd": PIN}, {"dev": PIN, "prd": later})
    assert one.promoted_from is None
