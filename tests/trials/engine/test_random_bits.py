"""The counter-based random numbers, tested as numbers."""

from itertools import product

import keras
import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from trials.engine.backends import current_backend
from trials.engine.random_bits import Key, Tensor, beta, bits, fold, key_words, normal, permutation, uniform


def key(seed: int, *words: int) -> Key:
    low, high = key_words(seed)
    made = Key(keras.ops.convert_to_tensor(low, "uint32"), keras.ops.convert_to_tensor(high, "uint32"))
    for word in words:
        made = fold(made, word)
    return made


def draws(seed: int, *words: int, n: int = 20_000) -> npt.NDArray[np.float32]:
    values: npt.NDArray[np.float32] = keras.ops.convert_to_numpy(uniform(key(seed, *words), (n,)))
    return values


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
def test_uniform_draws_are_uniform(seed: int) -> None:
    assert stats.kstest(draws(seed, 3), "uniform").pvalue > 1e-4


def test_uniform_draws_lie_in_the_half_open_unit_interval() -> None:
    values = draws(5, n=200_000)
    assert values.min() >= 0
    assert values.max() < 1


@pytest.mark.parametrize(
    ("one", "other"),
    [((0, 1), (0, 2)), ((0, 1), (1, 1)), ((7, 0, 3), (7, 1, 3)), ((7, 3, 0), (7, 0, 3))],
    ids=["streams", "seeds", "steps", "order of words"],
)
def test_draws_of_different_keys_are_independent(one: tuple[int, ...], other: tuple[int, ...]) -> None:
    a, b = draws(*one), draws(*other)
    assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(a.size)
    table = np.histogram2d(a, b, bins=8)[0]
    assert stats.chisquare(table.ravel()).pvalue > 1e-4


def test_neighbouring_draws_of_one_key_are_independent() -> None:
    values = draws(11, 4, n=40_000)
    for lag in (1, 2, 28, 128):
        assert abs(np.corrcoef(values[:-lag], values[lag:])[0, 1]) < 4 / np.sqrt(values.size)


def test_consecutive_steps_share_no_shifted_sequence() -> None:
    a, b = draws(3, 1, n=4096), draws(3, 2, n=4096)
    assert len(np.intersect1d(a, b)) < 10  # 4096**2 / 2**24 = 1 expected by chance


def test_every_bit_of_a_word_is_fair() -> None:
    words = keras.ops.convert_to_numpy(bits(key(1, 9), (50_000,))).astype(np.uint32)
    shares = [(words >> np.uint32(i) & np.uint32(1)).mean() for i in range(32)]
    assert np.abs(np.array(shares) - 0.5).max() < 5 * 0.5 / np.sqrt(words.size)


def test_equal_keys_give_equal_draws_whatever_the_shape() -> None:
    flat = draws(8, 2, n=24)
    shaped = keras.ops.convert_to_numpy(uniform(key(8, 2), (2, 3, 4)))
    np.testing.assert_array_equal(flat, shaped.ravel())


@pytest.mark.parametrize("n", [1, 2, 3, 31, 100, 1437])
def test_permutation_visits_every_row_once(n: int) -> None:
    order = keras.ops.convert_to_numpy(permutation(key(2, 5), n))
    np.testing.assert_array_equal(np.sort(order), np.arange(n))


def test_permutation_puts_every_row_anywhere_equally_often() -> None:
    n = 16

    def shuffle(low: Tensor, high: Tensor) -> Tensor:
        return permutation(Key(low, high), n)

    shuffled = current_backend().compile_program(shuffle)
    words = np.array([key_words(seed) for seed in range(1600)], np.uint32)
    orders = np.array([keras.ops.convert_to_numpy(shuffled(low, high)) for low, high in words])
    counts = np.array([[np.sum(orders[:, place] == row) for row in range(n)] for place in range(n)])
    assert stats.chisquare(counts.ravel()).pvalue > 1e-4


def test_permutations_of_consecutive_epochs_are_unrelated() -> None:
    one = keras.ops.convert_to_numpy(permutation(key(4, 0), 2000))
    other = keras.ops.convert_to_numpy(permutation(key(4, 1), 2000))
    assert abs(stats.spearmanr(one, other).statistic) < 4 / np.sqrt(2000)
    assert np.sum(one == other) < 12


def test_small_permutations_all_occur_equally_often() -> None:
    words = np.array([key_words(seed) for seed in range(4800)], np.uint32)

    def shuffle_all(words: Tensor) -> Tensor:
        return keras.ops.map(lambda word: permutation(Key(word[0], word[1]), 4), words)

    orders = keras.ops.convert_to_numpy(current_backend().compile_program(shuffle_all)(words))
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert counts.size == 24
    assert stats.chisquare(counts).pvalue > 1e-4


def test_normal_draws_are_normal_symmetric_and_bounded() -> None:
    values = keras.ops.convert_to_numpy(normal(key(6, 1), (100_000,)))
    assert stats.kstest(values, "norm").pvalue > 1e-4
    assert abs(stats.skewtest(values).statistic) < 4
    assert abs(stats.kurtosistest(values).statistic) < 4
    assert np.isfinite(values).all()
    assert np.abs(values).max() < 5.5


def lattice(n_lanes: int, n_steps: int, n_layers: int, n_draws: int) -> npt.NDArray[np.float32]:
    """Draws of many lanes, steps and layers whose numbers count up, as in a cohort."""

    def draw(words: Tensor) -> Tensor:
        made = fold(fold(Key(words[0], words[1]), words[2]), words[3])
        return uniform(made, (n_draws,))

    def draw_all(words: Tensor) -> Tensor:
        return keras.ops.map(draw, words)

    places = product(range(n_lanes), range(n_steps), range(n_layers))
    cells = np.array([(*key_words(lane), step, layer) for lane, step, layer in places], np.uint32)
    drawn: npt.NDArray[np.float32] = keras.ops.convert_to_numpy(current_backend().compile_program(draw_all)(cells))
    return drawn.reshape(n_lanes, n_steps, n_layers, n_draws)


@pytest.fixture(scope="module")
def cohort_draws() -> npt.NDArray[np.float32]:
    return lattice(12, 12, 6, 1000)


@pytest.mark.parametrize("axis", [0, 1, 2, 3], ids=["lanes", "steps", "layers", "units"])
def test_draws_along_every_axis_of_a_cohort_are_uniform_and_uncorrelated(
    cohort_draws: npt.NDArray[np.float32], axis: int
) -> None:
    rows = np.moveaxis(cohort_draws, axis, 0).reshape(cohort_draws.shape[axis], -1)[:12].astype(np.float64)
    counts = np.array([np.histogram(row, bins=20, range=(0, 1))[0] for row in rows])
    assert stats.chisquare(counts.ravel()).pvalue > 1e-4
    correlations = np.asarray(np.corrcoef(rows))[np.triu_indices(len(rows), 1)] * np.sqrt(rows.shape[1])
    assert stats.kstest(correlations, "norm").pvalue > 1e-4
    assert np.abs(correlations).max() < 5


def test_all_draws_of_a_cohort_together_are_uniform_in_pairs_of_neighbours(
    cohort_draws: npt.NDArray[np.float32],
) -> None:
    for axis in range(4):
        moved = np.moveaxis(cohort_draws, axis, 0)
        low, high = moved[:-1], moved[1:]
        table = np.histogram2d(low.ravel(), high.ravel(), bins=12, range=[[0, 1], [0, 1]])[0]
        assert stats.chisquare(table.ravel()).pvalue > 1e-4


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_units_are_dropped_equally_often_and_in_no_bursts(cohort_draws: npt.NDArray[np.float32], rate: float) -> None:
    dropped = (cohort_draws < rate).reshape(-1, cohort_draws.shape[-1])
    assert stats.binomtest(int(dropped.sum()), dropped.size, rate).pvalue > 1e-4
    by_unit = (dropped.sum(axis=0) - len(dropped) * rate) / np.sqrt(len(dropped) * rate * (1 - rate))
    by_mask = (dropped.sum(axis=1) - dropped.shape[1] * rate) / np.sqrt(dropped.shape[1] * rate * (1 - rate))
    for scores in (by_unit, by_mask):
        assert 1e-4 < stats.chi2(scores.size).cdf(np.sum(scores**2)) < 1 - 1e-4


@pytest.mark.parametrize("part", ["low word", "high word", "folded word", "counter"])
def test_one_changed_input_bit_changes_half_of_the_output_bits(part: str) -> None:
    def words(low: int, high: int, folded: int) -> npt.NDArray[np.uint32]:
        made = fold(Key(*(keras.ops.convert_to_tensor(word, "uint32") for word in (low, high))), folded)
        drawn: npt.NDArray[np.uint32] = keras.ops.convert_to_numpy(bits(made, (1024,))).astype(np.uint32)
        return drawn

    low, high = key_words(77)
    reference = words(low, high, 5)
    for bit in (0, 7, 13, 30):
        flips = {name: (1 << bit if name == part else 0) for name in ("low word", "high word", "folded word")}
        changed = words(low ^ flips["low word"], high ^ flips["high word"], 5 ^ flips["folded word"])
        if part == "counter":
            changed = reference[np.arange(1024) ^ (1 << bit % 10)]
        share = np.unpackbits((reference ^ changed).view(np.uint8)).mean()
        assert abs(share - 0.5) < 5 * 0.5 / np.sqrt(1024 * 32 / 2)


def beta_draws(alpha: float, *words: int, n: int = 20_000) -> npt.NDArray[np.float32]:
    values: npt.NDArray[np.float32] = keras.ops.convert_to_numpy(
        beta(key(5, *words), keras.ops.convert_to_tensor(alpha), (n,))
    )
    return values


@pytest.mark.parametrize("alpha", [0.1, 0.4, 1.0, 5.0])
def test_beta_draws_follow_the_beta_distribution(alpha: float) -> None:
    values = beta_draws(alpha).astype(np.float64)
    assert ((values >= 0) & (values <= 1)).all()
    inner = values[(values > 1e-6) & (values < 1 - 1e-6)]  # float32 has no numbers just below 1
    theory = stats.beta(alpha, alpha)
    assert abs(len(inner) / len(values) - np.diff(theory.cdf([1e-6, 1 - 1e-6]))[0]) < 0.015
    low, high = theory.cdf([1e-6, 1 - 1e-6])
    assert stats.kstest((theory.cdf(inner) - low) / (high - low), "uniform").pvalue > 1e-4


def test_beta_draws_of_other_keys_are_others() -> None:
    one, other = beta_draws(0.4, 1), beta_draws(0.4, 2)
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.03


@pytest.mark.parametrize("alpha", [1e-4, 10.0])
def test_beta_draws_are_numbers_at_the_ends_of_the_range(alpha: float) -> None:
    values = beta_draws(alpha, n=2000)
    assert np.isfinite(values).all()
    assert abs(values.mean() - 0.5) < 0.05
