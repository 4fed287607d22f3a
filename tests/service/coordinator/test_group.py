import itertools

import pytest

from search_spaces.grids import grid_points
from search_spaces.spec import StudySpec
from search_spaces.values import Point
from service.coordinator.group import MAX_LANES, CohortSize, QueuedReplicate, count_lanes, group, lanes_per_cohort
from tests.specs import small_grid, small_search
from trials.protocol import Cohort


def queue(
    spec: StudySpec, points: list[Point] | None = None, losses: dict[int, int] | None = None
) -> list[QueuedReplicate]:
    ids = itertools.count(100)
    return [
        QueuedReplicate(next(ids), number, seed, point, (losses or {}).get(number, 0))
        for number, point in enumerate(points or list(grid_points(spec)))
        for seed in range(spec.budget.replicates)
    ]


def grouped(spec: StudySpec, queued: list[QueuedReplicate], lanes: int = 8) -> list[Cohort]:
    return group("study", spec, queued, size=CohortSize(lanes), prefix="study-1")


def answered(cohorts: list[Cohort]) -> list[int]:
    return [reader.replicate_id for cohort in cohorts for lane in cohort.lanes for reader in lane.readers]


def with_patience(**parts: object) -> StudySpec:
    return small_grid(
        regularizers={
            "dropout": {"rate": {"grid": [0.0, 0.5]}},
            "early_stopping": {"patience": {"choices": [2, 5, 9]}, **parts},
        }
    )


def test_every_queued_replicate_is_in_exactly_one_cohort() -> None:
    queued = queue(small_grid(), losses={1: 1, 2: 2})
    assert sorted(answered(grouped(small_grid(), queued, lanes=3))) == [r.replicate_id for r in queued]


def test_replicates_that_differ_in_patience_alone_share_a_lane() -> None:
    spec = with_patience()
    (cohort,) = grouped(spec, queue(spec))
    assert len(cohort.lanes) == 4
    for lane in cohort.lanes:
        assert sorted(reader.rule.patience for reader in lane.readers if reader.rule) == [2, 5, 9]
        assert set(lane.settings) == {"dropout.rate", "dropout.placement", "dropout.sites"}


def test_starts_of_early_stopping_share_a_lane_too() -> None:
    spec = with_patience(start_epoch={"grid": [0, 4]})
    (cohort,) = grouped(spec, queue(spec))
    assert len(cohort.lanes) == count_lanes(spec) == 4
    assert cohort.monitor_starts == (0, 4)
    for lane in cohort.lanes:
        rules = [reader.rule for reader in lane.readers if reader.rule]
        assert sorted((rule.start_epoch, rule.patience) for rule in rules) == [
            (start, patience) for start in (0, 4) for patience in (2, 5, 9)
        ]


def test_patience_that_is_off_reads_the_shared_lane_to_its_end() -> None:
    spec = with_patience(optional=True)
    (cohort,) = grouped(spec, queue(spec))
    assert len(cohort.lanes) == 4
    assert all(sum(reader.rule is None for reader in lane.readers) == 1 for lane in cohort.lanes)


def test_lanes_carry_the_seed_of_their_replicates() -> None:
    cohorts = grouped(small_grid(), queue(small_grid()))
    assert [lane.seed for cohort in cohorts for lane in cohort.lanes] == [0, 1] * 4


def test_the_monitor_is_set_only_where_best_weights_are_restored() -> None:
    for restore_best, monitor in ((True, "validation_accuracy"), (False, None)):
        spec = with_patience(restore_best=restore_best)
        assert {cohort.monitor for cohort in grouped(spec, queue(spec))} == {monitor}
    assert grouped(small_grid(), queue(small_grid()))[0].monitor is None


def test_one_program_has_a_place_for_all_regularizers_of_the_study() -> None:
    spec = small_search("random", 4)
    points: list[Point] = [
        {"dropout.rate": 0.1, "l2.enabled": False},
        {"dropout.rate": 0.2, "l2.enabled": True, "l2.factor": 0.01},
    ]
    (cohort,) = grouped(spec, queue(spec, points))
    assert cohort.grafts == ("dropout", "l2")
    assert [lane.settings.get("l2.factor") for lane in cohort.lanes] == [None, 0.01]


def test_different_structure_never_shares_a_cohort() -> None:
    spec = small_grid(
        regularizers={
            "dropout": {
                "rate": {"grid": [0.1, 0.2]},
                "placement": {"choices": ["after_activation", "before_activation"]},
                "optional": True,
            }
        }
    )
    cohorts = grouped(spec, queue(spec), lanes=32)
    assert len(cohorts) == 2
    for cohort in cohorts:
        placements = {lane.settings.get("dropout.placement") for lane in cohort.lanes} - {None}
        assert placements == {cohort.structure["dropout.placement"]}


@pytest.mark.parametrize(("replicates", "lanes", "sizes"), [(5, 12, [10, 10]), (30, 19, [15] * 8), (2, 1, [1] * 8)])
def test_cohorts_keep_trials_together_unless_they_are_too_large(replicates: int, lanes: int, sizes: list[int]) -> None:
    spec = small_grid(budget={"replicates": replicates})
    assert [len(cohort.lanes) for cohort in grouped(spec, queue(spec), lanes=lanes)] == sizes


def test_a_trial_under_which_training_was_lost_gets_a_cohort_of_its_own() -> None:
    queued = queue(small_grid(), losses={2: 1})
    cohorts = grouped(small_grid(), queued, lanes=32)
    own = {r.replicate_id for r in queued if r.trial_number == 2}
    assert [set(answered([cohort])) & own for cohort in cohorts] == [set(), own]
    assert set(answered([cohorts[1]])) == own


def test_after_a_second_loss_every_lane_is_alone() -> None:
    cohorts = grouped(small_grid(), queue(small_grid(), losses={2: 2}), lanes=32)
    assert [len(cohort.lanes) for cohort in cohorts] == [6, 1, 1]


def test_cohort_ids_are_unique() -> None:
    cohorts = grouped(small_grid(), queue(small_grid(), losses={0: 3}), lanes=2)
    assert len({cohort.cohort_id for cohort in cohorts}) == len(cohorts)


@pytest.mark.parametrize(
    ("spec", "lanes"),
    [
        (small_grid(), 8),
        (with_patience(), 4),
        (with_patience(optional=True), 4),
        (small_grid(budget={"trials": 3, "replicates": 2}), 6),
        (small_search("random", 7, replicates=3), 21),
    ],
)
def test_the_number_of_lanes_is_known_before_anything_runs(spec: StudySpec, lanes: int) -> None:
    assert count_lanes(spec) == lanes


def test_every_slot_gets_a_few_cohorts() -> None:
    assert lanes_per_cohort(small_grid(budget={"replicates": 30}), 2) == 15
    assert lanes_per_cohort(small_grid(), 64) == 1
    assert lanes_per_cohort(small_grid(budget={"replicates": 1000}), 1) == MAX_LANES


def test_a_sampler_that_learns_gets_results_after_a_tenth_of_its_budget() -> None:
    assert lanes_per_cohort(small_search("tpe", 100), 1) == 10
    assert lanes_per_cohort(small_search("random", 100), 1) == 25
