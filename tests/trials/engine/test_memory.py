import gc

import psutil

from tests.trials.engine.cohorts import cohort, digits, drive, lane, mlp
from trials.engine import device_data, training_program
from trials.engine.training_program import training_program as program_of

N_COHORTS = 200
WARM_UP = 20
MAX_GROWTH_BYTES = 8 * 2**20


def resident_bytes() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


def test_memory_stays_flat_over_200_cohorts_that_compile_once() -> None:
    compilations = 0
    for number in range(N_COHORTS):
        if number == WARM_UP:
            before = resident_bytes()
        outcome = drive(cohort([lane(0, number, dropout_rate=0.1)], epochs=1, grafts=("dropout",)), digits(), mlp(8))
        assert outcome.finished is not None
        compilations += outcome.finished.compilations

    assert compilations == 1
    assert resident_bytes() - before < MAX_GROWTH_BYTES


def test_programs_of_one_dataset_share_its_tensors_which_go_with_it() -> None:
    data = digits(64)
    one = program_of(cohort([lane(0)], epochs=1, grafts=()), data, mlp(4)).program
    other = program_of(cohort([lane(0)], epochs=2, grafts=()), data, mlp(4)).program

    assert one is not other
    assert one._data.train[0] is other._data.train[0]

    n_held = len(device_data._uploaded)
    training_program._programs.clear()
    del one, other
    digits.cache_clear()
    del data
    gc.collect()
    assert len(device_data._uploaded) < n_held
