"""Random numbers as a pure function of a key and a counter.

A key is 64 bits, held as two 32-bit words. `fold` derives the key of a purpose (a step, a layer) from another one,
`uniform` and `permutation` draw from a key. Nothing is stored or advanced, so that lanes of equal seed see equal draws
whatever else they do, and a resumed lane continues exactly. Both key words enter every number between rounds of mixing.

References:
    Salmon et al., 2011, Parallel random numbers: as easy as 1, 2, 3, SC11 (counter-based generation).
    Hoang, Morris and Rogaway, 2012, An enciphering scheme based on a card shuffle, arXiv:1208.1176 (swap-or-not).
"""

import math
from typing import Any, NamedTuple

from keras import ops

Tensor = Any

SHUFFLE_ROUNDS = 24

GAMMA_TRIES = 8


class Key(NamedTuple):
    """Two 32-bit words, as scalar uint32 tensors."""

    low: Tensor
    high: Tensor


def key_words(seed: int) -> tuple[int, int]:
    """The two key words of an integer seed (splitmix64 of the seed)."""
    z = (seed + 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    z ^= z >> 31
    return z & 0xFFFFFFFF, z >> 32


def fold(key: Key, word: Tensor | int) -> Key:
    """The key of a purpose named by an integer word."""
    counter = ops.cast(ops.convert_to_tensor(word), "uint32")
    low = _mix(counter * _u32(0x9E3779B9) + key.low, key.high)
    high = _mix(counter * _u32(0x7FEB352D) + key.high, key.low ^ low)
    return Key(low, high)


def bits(key: Key, shape: tuple[int, ...]) -> Tensor:
    """Independent uniform 32-bit words.

    Returns:
        uint32 tensor of the given shape.
    """
    counter = _counters(math.prod(shape))
    return ops.reshape(_mix(counter * _u32(0x9E3779B9) + key.low, key.high), shape)


def uniform(key: Key, shape: tuple[int, ...]) -> Tensor:
    """Independent draws from [0, 1), multiples of 2**-24.

    Returns:
        float32 tensor of the given shape.
    """
    top = ops.cast(ops.right_shift(bits(key, shape), _u32(8)), "int32")
    return ops.cast(top, "float32") * ops.convert_to_tensor(2.0**-24, "float32")


def normal(key: Key, shape: tuple[int, ...]) -> Tensor:
    """Independent standard normal draws, by inversion; at most 5.42 in size.

    Returns:
        float32 tensor of the given shape.
    """
    centred = 2 * uniform(key, shape) - (1 - 2.0**-24)  # symmetric multiples of 2**-24, never 0, 1 or -1
    return math.sqrt(2) * ops.erfinv(centred)


def beta(key: Key, alpha: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Independent draws from the beta distribution whose two parameters are both alpha.

    Args:
        key: Key of the draws.
        alpha: Scalar tensor above 0.
        shape: Shape of the draws.

    Returns:
        float32 tensor of the given shape, from 0 to 1.
    """
    return ops.sigmoid(_log_gamma(fold(key, 0), alpha, shape) - _log_gamma(fold(key, 1), alpha, shape))


def _log_gamma(key: Key, alpha: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Logarithms of gamma draws by rejection from a fixed number of tries, each of which is kept with over 95 %.

    References:
        Marsaglia and Tsang, 2000, A simple method for generating gamma variables, ACM TOMS 26 (for alpha + 1, then
        times a uniform draw to the power of 1 / alpha).
    """
    tries = (GAMMA_TRIES, *shape)
    d = alpha + 2.0 / 3.0
    x = normal(fold(key, 0), tries)
    root = 1.0 + x * ops.rsqrt(9.0 * d)
    log_v = 3.0 * ops.log(ops.maximum(root, 1e-20))
    log_u = ops.log(uniform(fold(key, 1), tries))
    kept = (root > 0) & (log_u < 0.5 * ops.square(x) + d * (1.0 - ops.exp(log_v) + log_v))
    first = ops.expand_dims(ops.argmax(ops.cast(kept, "int32"), axis=0), 0)
    chosen = ops.squeeze(ops.take_along_axis(log_v, first, axis=0), 0)
    return ops.log(d) + chosen + ops.log(uniform(fold(key, 2), shape) + 2.0**-25) / alpha


def permutation(key: Key, n: int) -> Tensor:
    """A random order of 0 … n - 1, computed element by element without sorting (swap-or-not shuffle).

    Returns:
        int32 tensor of shape `(n,)`.
    """
    size = _u32(n)

    def swap_or_not(round_: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
        round_key = fold(key, round_)
        # high word modulo n: biased by at most n / 2**32
        partner = ops.mod(ops.mod(round_key.high, size) + size - index, size)
        larger = ops.maximum(ops.cast(index, "int32"), ops.cast(partner, "int32"))
        coin = _mix(ops.cast(larger, "uint32") * _u32(0x9E3779B9) + round_key.low, round_key.high)
        swap = ops.right_shift(coin, _u32(31)) > _u32(0)
        return round_ + 1, ops.where(swap, partner, index)

    _, index = ops.while_loop(
        lambda round_, _: round_ < SHUFFLE_ROUNDS,
        swap_or_not,
        (ops.convert_to_tensor(0, "int32"), _counters(n)),
    )
    return ops.cast(index, "int32")


def _mix(x: Tensor, word: Tensor) -> Tensor:
    """Three multiply-xorshift rounds with the second key word added between them."""
    x = (x ^ ops.right_shift(x, _u32(16))) * _u32(0x21F0AAAD)
    x = x + word
    x = (x ^ ops.right_shift(x, _u32(15))) * _u32(0x735A2D97)
    x = x ^ word
    x = (x ^ ops.right_shift(x, _u32(16))) * _u32(0x85EBCA6B)
    return x ^ ops.right_shift(x, _u32(13))


def _counters(n: int) -> Tensor:
    return ops.cast(ops.arange(n, dtype="int32"), "uint32")  # TensorFlow has no range of uint32


def _u32(value: int) -> Tensor:
    return ops.convert_to_tensor(value, "uint32")
