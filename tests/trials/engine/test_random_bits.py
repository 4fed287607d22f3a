"""The counter-based random numbers, tested as numbers."""

import keras
import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats

from trials.engine.backends import current_backend
from trials.engine.random_bits import Key, Tensor, bits, fold, key_words, permutation, uniform


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
