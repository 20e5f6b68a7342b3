"""What is planned depends on the seed alone, and has every kind of fault."""

from collections import Counter

import pytest

from chaos.faults import FAULTS, NO_FAULT
from chaos.plan import STEPS, plan
from lambda_src.rooms import tokens


@pytest.mark.proof
def test_the_same_seed_plans_the_same() -> None:
    assert plan(5, 400, FAULTS) == plan(5, 400, FAULTS)
    assert plan(5, 400, FAULTS) != plan(6, 400, FAULTS)


@pytest.mark.proof
def test_there_are_as_many_operations_as_were_asked_for() -> None:
    stories = plan(5, 1000, FAULTS)

    assert 1000 <= sum(story.operations for story in stories) < 1000 + 14 * STEPS


@pytest.mark.proof
def test_every_kind_of_fault_is_met_about_as_often() -> None:
    steps = [
        step
        for story in plan(5, 20_000, FAULTS)
        for person in story.people
        for tab in person.tabs
        for step in tab
    ]
    counts = Counter(step.fault for step in steps)

    assert 0.6 < counts.pop(NO_FAULT) / len(steps) < 0.8
    assert set(counts) == set(FAULTS)
    assert all(counts[fault] > 15 for fault in FAULTS)


def test_there_are_forty_kinds_and_each_says_what_it_is() -> None:
    assert len(FAULTS) >= 40
    assert len({fault.name for fault in FAULTS}) == len({fault.what for fault in FAULTS})
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_nobody_has_the_name_or_the_token_of_somebody_else() -> None:
    people = [person for story in plan(5, 1500, FAULTS) for person in story.people]

    assert len({person.name for person in people}) == len(people)
    assert len({person.token for person in people}) == len(people)
    # The trial adds a tab and a step to it.
    assert all(len(person.name) <= 20 - len("-011") for person in people)
    assert all(tokens.is_well_formed(person.token) for person in people)


@pytest.mark.proof
def test_some_hosts_want_the_same_code() -> None:
    stories = plan(5, 1500, FAULTS)
    contended = [tuple(story.codes.values()) for story in stories if len(story.codes) == 2]
    rivals = [codes for codes in contended if codes[0][0] == codes[1][0]]

    # How many there are is a matter of chance; who has none opens a room of their own.
    assert len(rivals) > len(contended) / 3
    assert all(one[1] != other[1] for one, other in rivals)


@pytest.mark.proof
def test_the_codes_are_those_that_the_function_tries() -> None:
    for story in plan(5, 400, FAULTS):
        for token, codes in story.codes.items():
            assert codes == tuple(tokens.room_code(token, number) for number in range(4))


@pytest.mark.proof
def test_without_faults_none_is_met() -> None:
    steps = [
        step.fault
        for story in plan(5, 400, ())
        for person in story.people
        for tab in person.tabs
        for step in tab
    ]

    assert set(steps) == {NO_FAULT}
