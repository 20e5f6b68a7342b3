"""The measuring of synths: its table, and that each variant really is what it is called."""

from pathlib import Path

import pytest

from benchmarks import synth
from benchmarks.document import BENCHMARKS, ROOT, write_block
from benchmarks.process_tree import Taken, time_of
from benchmarks.synth import BARE, EMPTY, GATE, OTHER, VARIANTS, SynthFigures, Variant


def test_every_variant_is_taken_once_in_each_round_in_another_order() -> None:
    order: list[Variant] = []

    def synthesize(variant: Variant) -> Taken:
        order.append(variant)
        return Taken(len(order), 1)

    figures = synth.measure(synthesize, rounds=2)

    first, second = order[: len(VARIANTS)], order[len(VARIANTS) :]
    assert set(first) == set(second) == set(VARIANTS)
    assert first != second
    assert figures.rounds[OTHER.name] == [
        Taken(first.index(OTHER) + 1, 1),
        Taken(len(VARIANTS) + second.index(OTHER) + 1, 1),
    ]


def test_ratios_are_of_each_round_and_then_their_median() -> None:
    """Not the ratio of the medians: a round that is slow is slow for all."""
    figures = SynthFigures(
        rounds={
            GATE.name: [Taken(8, 4), Taken(80, 4), Taken(10, 4)],
            OTHER.name: [Taken(4, 1), Taken(20, 2), Taken(9, 1)],
            EMPTY.name: [Taken(2, 2), Taken(40, 2), Taken(4, 2)],
        }
    )
    lines = [*synth.table(figures, "a machine")]
    assert lines[0] == "3 rounds, each in another order; a machine. Seconds: median (min-max)."
    assert lines[-2] == (
        f"| {OTHER.name} | 9.00 (4.00-20.00) | 0.50 | 2.00 | 1.00 (1.00-2.00) | 0.25 | 0.50 |"
    )


def test_the_page_has_a_place_for_it(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / BENCHMARKS).write_bytes((ROOT / BENCHMARKS).read_bytes())
    write_block(BENCHMARKS, "synth", ["figures"], root=tmp_path)
    assert "\nfigures\n" in (tmp_path / BENCHMARKS).read_text(encoding="utf-8")


@pytest.mark.proof
def test_every_variant_is_synthesized_and_only_those_of_the_gate_are_validated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[set[str]] = []

    def look(command: list[str], **more: object) -> Taken:
        done = time_of(command, **more)  # type: ignore[arg-type]
        output = Path(command[command.index("--output") + 1])
        made.append({path.name for path in output.iterdir()})
        return done

    monkeypatch.setattr(synth, "time_of", look)
    synthesize = synth.synthesizing(tmp_path)

    for variant in VARIANTS:
        assert min(synthesize(variant)) > 0

    for variant, names in zip(VARIANTS, made, strict=True):
        ours = {f"hima-five-bomber-prd-{one}.template.json" for one in ("rooms", "web", "guard")}
        assert names >= (ours if variant.is_ours else {"empty.template.json"})
        assert ("validation-report.json" in names) is variant.is_gate
    assert {BARE.is_ours, EMPTY.is_ours} == {False}
