"""Patches of moto are taken out again."""

import pytest

from local.emulated_aws.patching import Patch, patched


class Moto:
    def answer(self) -> str:
        return "its own"


def test_patches_are_taken_out_again_also_after_an_error() -> None:
    patches = (
        Patch(Moto, "answer", lambda _: "ours"),
        Patch(Moto, "answer", lambda _: "ours, too"),
        Patch(Moto, "added", "new"),
    )
    with pytest.raises(ValueError), patched(patches):
        assert (Moto().answer(), vars(Moto)["added"]) == ("ours, too", "new")
        raise ValueError
    assert (Moto().answer(), "added" in vars(Moto)) == ("its own", False)
