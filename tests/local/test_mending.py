"""moto is mended for a while."""

import pytest

from local.emulated_aws.mending import Mend, mended


class Moto:
    def answer(self) -> str:
        return "its own"


def test_what_was_put_in_place_or_added_is_taken_out_again_also_after_an_error() -> None:
    mends = (
        Mend(Moto, "answer", lambda _: "ours"),
        Mend(Moto, "answer", lambda _: "ours, too"),
        Mend(Moto, "added", "new"),
    )
    with pytest.raises(ValueError), mended(mends):
        assert (Moto().answer(), vars(Moto)["added"]) == ("ours, too", "new")
        raise ValueError
    assert (Moto().answer(), "added" in vars(Moto)) == ("its own", False)
