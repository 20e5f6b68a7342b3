"""Changes that are the same at several stages."""

from typing import Any

from release.pipeline.changes.model import StageStackChange, ValueChange
from release.pipeline.comment.same_at_stages import AtStages, same_at_stages


def grouped(*found: tuple[str, str], **where: Any) -> list[AtStages[ValueChange]]:
    return same_at_stages(
        [
            (
                StageStackChange(**{"stack": "rooms", "status": "changed", **where}, stage=stage),
                ValueChange(path="P", old=None, new=new),
            )
            for stage, new in found
        ]
    )


def told(*found: tuple[str, str]) -> list[tuple[tuple[str, ...], str | None]]:
    return [(one.stages, one.item.new) for one in grouped(*found)]


def test_the_same_is_told_once_and_others_by_themselves() -> None:
    assert told(("dev", "1"), ("prd", "1"), ("two", "2")) == [
        (("dev", "prd"), "1"),
        (("two",), "2"),
    ]


def test_names_may_differ_by_their_stage() -> None:
    for name in (
        "hima-five-bomber-{}-rooms",
        "/hima-five-bomber/{}/release",
        "hima-five-bomber-{}",
    ):
        dev, prd = (name.format(stage) for stage in ("dev", "prd"))
        assert told(("dev", dev), ("prd", prd)) == [(("dev", "prd"), name.format("<stage>"))]


def test_a_name_at_one_stage_is_told_as_it_is() -> None:
    assert told(("dev", "hima-five-bomber-dev")) == [(("dev",), "hima-five-bomber-dev")]


def test_twice_the_same_at_one_stage_is_told_once_and_as_it_is() -> None:
    twice = ("dev", "hima-five-bomber-dev"), ("dev", "hima-five-bomber-dev")
    assert told(*twice) == [(("dev",), "hima-five-bomber-dev")]


def test_the_name_of_another_stage_is_not_taken_for_its_own() -> None:
    for other in ("hima-five-bomber-prd-rooms", "hima-five-bomber-device", "dev"):
        assert len(told(("dev", other), ("prd", other.replace("dev", "prd")))) == 2


def test_nobody_can_write_the_general_name_to_hide_a_change() -> None:
    both = told(("dev", "hima-five-bomber-dev"), ("prd", "hima-five-bomber-<stage>"))
    assert len(both) == 2
    odd = "hima-five-bomber-<stage> hima-five-bomber-{}"
    assert len(told(("dev", odd.format("dev")), ("prd", odd.format("prd")))) == 2


def test_stacks_are_apart_and_a_stack_that_goes_is_too() -> None:
    (one,) = grouped(("dev", "1"))
    assert (one.where, one.stack_removed) == ("rooms at dev", False)
    (removed,) = grouped(("dev", "1"), status="removed")
    assert removed.stack_removed
