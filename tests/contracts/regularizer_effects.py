"""What each regularizer declares to do, asserted on its own hooks, without training."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from search_spaces.values import Point
from tests.trials.engine.cohorts import mlp
from trials.engine.evaluation import sampled
from trials.engine.lane_scope import LaneScope, lane_scope
from trials.engine.losses import CrossEntropy
from trials.engine.random_bits import Key, fold
from trials.grafting import graft
from trials.layers.recurrent_dropout import LaneRecurrentDropout
from trials.regularizers import TREATMENTS, Knobs, Treatment
from trials.regularizers.base import LayerTreatment

Array = npt.NDArray[np.float32]

N_CLASSES = 4
RANDOM = np.random.default_rng(0)


def key(word: int = 0) -> Key:
    """A key; another one for another word."""
    return fold(Key(ops.convert_to_tensor(5, "uint32"), ops.convert_to_tensor(9, "uint32")), word)


def knobs(treatment: Treatment, settings: Point) -> Knobs:
    """A lane's numbers at these settings, as tensors."""
    return {name: ops.convert_to_tensor(value) for name, value in treatment.lane_values(settings).items()}


def array(tensor: Any) -> Array:
    """A tensor's values."""
    values: Array = np.asarray(ops.convert_to_numpy(tensor))
    return values


def applied(name: str, x: Array, settings: Point, depth: float = 1.0) -> Array:
    """What a layer of a regularizer makes of its inputs in training; in inference it must be the identity."""
    treatment = TREATMENTS[name]({})
    assert isinstance(treatment, LayerTreatment)
    layer = treatment.layer(0, "here", depth)
    with lane_scope(LaneScope(key(), knobs(treatment, settings))):
        np.testing.assert_array_equal(array(layer(x, training=False)), x)
        return array(layer(x, training=True))


def changed(name: str, x: Array, targets: Array, settings: Point) -> tuple[Array, Array]:
    """A batch after a regularizer's change."""
    treatment = TREATMENTS[name]({})
    after = treatment.batch(key(), ops.convert_to_tensor(x), ops.convert_to_tensor(targets), knobs(treatment, settings))
    return array(after[0]), array(after[1])


def one_hot(n: int) -> Array:
    """Targets of random labels."""
    return np.eye(N_CLASSES, dtype=np.float32)[RANDOM.integers(0, N_CLASSES, n)]


def drops(out: Array, rate: float, axis: tuple[int, ...] = ()) -> None:
    """Of ones, the share `rate` became 0 and the others 1 / (1 - rate), alike along some axes."""
    np.testing.assert_allclose(out, np.broadcast_to(out.max(axis=axis, keepdims=True), out.shape))
    draws = out.max(axis=axis) if axis else out
    assert abs((draws == 0).mean() - rate) < 4 * np.sqrt(rate * (1 - rate) / draws.size)
    np.testing.assert_allclose(draws[draws != 0], 1 / (1 - rate), rtol=1e-6)


def dropout() -> None:
    """Values are zeroed one by one."""
    drops(applied("dropout", np.ones((300, 200), np.float32), {"dropout.rate": 0.3}), 0.3)


def input_dropout() -> None:
    """So are those of inputs, with another mask at each step of a sequence."""
    out = applied("input_dropout", np.ones((300, 5, 40), np.float32), {"input_dropout.rate": 0.2})
    drops(out, 0.2)
    assert np.mean(out[:, 0] == out[:, 1]) < 0.75  # 0.8² + 0.2² where the steps' masks are independent


def spatial_dropout() -> None:
    """Whole maps are zeroed, in any number of dimensions."""
    for places in ((7,), (5, 6), (2, 3, 4)):
        x = np.ones((200, *places, 30), np.float32)
        drops(applied("spatial_dropout", x, {"spatial_dropout.rate": 0.4}), 0.4, tuple(range(1, len(places) + 1)))


def recurrent_dropout() -> None:
    """Inputs and state have masks without a time axis, at rates of their own."""
    inputs = keras.Input((6, 50))
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.GRU(40, name="gru")(inputs)))
    grafted = graft(model, ("recurrent_dropout",), {})
    layer = grafted.model.layers[1]
    assert isinstance(layer, LaneRecurrentDropout)
    settings: Point = {"recurrent_dropout.rate": 0.5, "recurrent_dropout.input_rate": 0.25}
    with lane_scope(LaneScope(key(), knobs(grafted.treatments[0], settings))):
        of_inputs, of_state = map(array, layer.masks(0, np.ones((100, 6, 50), np.float32)))
    assert (of_inputs.shape, of_state.shape) == ((3, 100, 50), (3, 100, 40))
    drops(of_inputs, 0.25)
    drops(of_state, 0.5)


def gaussian_dropout() -> None:
    """Factors of mean 1 and of dropout's variance."""
    out = applied("gaussian_dropout", np.full((300, 200), 3.0, np.float32), {"gaussian_dropout.rate": 0.2}) / 3
    assert abs(out.mean() - 1) < 0.01
    assert abs(out.var() - 0.25) < 0.01


def gaussian_noise() -> None:
    """Terms of mean 0 and the asked deviation."""
    x = RANDOM.normal(size=(300, 200)).astype(np.float32)
    noise = applied("gaussian_noise", x, {"gaussian_noise.stddev": 0.5}) - x
    assert abs(noise.mean()) < 0.01
    assert abs(noise.std() - 0.5) < 0.01


def alpha_dropout() -> None:
    """A share becomes one negative value; mean and variance stay."""
    x = RANDOM.normal(size=(400, 300)).astype(np.float32)
    out = applied("alpha_dropout", x, {"alpha_dropout.rate": 0.3})
    values, counts = np.unique(out, return_counts=True)
    saturated = values[counts.argmax()]
    assert abs((out == saturated).mean() - 0.3) < 0.01
    assert saturated < x.mean() - 1
    assert abs(out.mean()) < 0.02
    assert abs(out.var() - 1) < 0.02


def monte_carlo_dropout() -> None:
    """The prediction is the mean of single ones, each with its own masks; equal keys predict equally."""
    loss = CrossEntropy(10)
    grafted = graft(mlp(8), ("dropout", "monte_carlo_dropout"), {"monte_carlo_dropout.samples": 4})
    dropout, sampling = grafted.treatments
    assert sampling.evaluation_samples == 4
    x, lane = RANDOM.random((5, 8, 8, 1), np.float32), knobs(dropout, {"dropout.rate": 0.5})

    def predicted(word: int) -> Array:
        call, n_samples = lambda: grafted.model(x, training=False), sampling.evaluation_samples
        logits, spread = sampled(call, loss, (key(word), lane), n_samples)
        assert 0 < float(array(spread)) < 0.5
        return array(loss.probabilities(logits))

    singles = []
    for number in range(4):
        with lane_scope(LaneScope(fold(key(), number), lane, is_sampling=True)):
            singles.append(array(loss.probabilities(grafted.model(x, training=False))))
    assert len({single.tobytes() for single in singles}) == 4
    np.testing.assert_allclose(predicted(0), np.mean(singles, axis=0), rtol=1e-5)
    np.testing.assert_array_equal(predicted(0), predicted(0))
    assert not np.allclose(predicted(0), predicted(1))


def _kernels() -> list[Array]:
    return [RANDOM.normal(size=shape).astype(np.float32) for shape in ((20, 5), (3, 3, 2, 4))]


def _penalty(name: str, kernels: list[Array]) -> float:
    treatment = TREATMENTS[name]({})
    term = treatment.penalty([ops.convert_to_tensor(k) for k in kernels], knobs(treatment, {f"{name}.factor": 0.5}))
    return float(array(term))


def l1() -> None:
    """The term of the loss is factor · Σ|w|."""
    kernels = _kernels()
    np.testing.assert_allclose(_penalty("l1", kernels), 0.5 * sum(np.abs(k).sum() for k in kernels), rtol=1e-5)


def l2() -> None:
    """The term of the loss is factor · Σw²."""
    kernels = _kernels()
    np.testing.assert_allclose(_penalty("l2", kernels), 0.5 * sum((k**2).sum() for k in kernels), rtol=1e-5)


def weight_decay() -> None:
    """Weights shrink by learning rate x factor."""
    treatment, kernel = TREATMENTS["weight_decay"]({}), _kernels()[0]
    assert treatment.decays
    at = knobs(treatment, {"weight_decay.factor": 0.4})
    after = treatment.decay(ops.convert_to_tensor(kernel), ops.convert_to_tensor(0.1), at)
    np.testing.assert_allclose(array(after), kernel * 0.96, rtol=1e-6)


def max_norm() -> None:
    """No unit's norm is above the bound; those below, and all directions, stay."""
    treatment = TREATMENTS["max_norm"]({})
    for kernel in _kernels():
        norms = np.sqrt((kernel**2).sum(axis=tuple(range(kernel.ndim - 1))))
        bound = float(np.median(norms)) + 1e-3
        after = array(treatment.constrain(ops.convert_to_tensor(kernel), knobs(treatment, {"max_norm.value": bound})))
        np.testing.assert_allclose(after, kernel * np.minimum(1, bound / norms), rtol=1e-5)
        assert (norms > bound).any()
        assert (norms < bound).any()


def batch_norm() -> None:
    """Channels have mean 0 and variance 1 in training; averages move by 1 - momentum, and serve in inference."""
    treatment = TREATMENTS["batch_norm"]({"batch_norm.momentum": 0.75})
    assert isinstance(treatment, LayerTreatment)
    layer = treatment.layer(0, "here", 1.0)
    x = RANDOM.normal(3, 2, size=(500, 6)).astype(np.float32)
    out = array(layer(x, training=True))
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(out.var(axis=0), 1, atol=1e-2)
    np.testing.assert_allclose(array(layer.moving_mean.value), 0.25 * x.mean(axis=0), rtol=1e-4)
    still = array(layer(x[:1], training=False))
    np.testing.assert_allclose(still, array(layer(x, training=False))[:1], rtol=1e-5)


def label_smoothing() -> None:
    """Targets are shares still, and the label's is 1 - factor + factor / number of classes."""
    x, targets = np.zeros((50, 2), np.float32), one_hot(50)
    same, softer = changed("label_smoothing", x, targets, {"label_smoothing.factor": 0.2})
    np.testing.assert_array_equal(same, x)
    np.testing.assert_allclose(softer, np.where(targets == 1, 0.85, 0.05), rtol=1e-6)
    _, of_one_logit = changed("label_smoothing", x, targets[:, :1], {"label_smoothing.factor": 0.2})
    np.testing.assert_allclose(of_one_logit, np.where(targets[:, :1] == 1, 0.9, 0.1), rtol=1e-6)


def augmentation() -> None:
    """Every image is another one, of the same target."""
    x, targets = RANDOM.random((40, 8, 8, 2), np.float32) + 0.1, one_hot(40)
    settings: Point = {"augmentation.policy": "shift", "augmentation.strength": 0.3}
    moved, same = changed("augmentation", x, targets, settings)
    np.testing.assert_array_equal(same, targets)
    assert not np.any([np.allclose(a, b) for a, b in zip(moved, x, strict=True)])
    assert np.mean(moved == 0) > 0.05  # what came in from outside


def mixup() -> None:
    """Examples and targets are blended by the same shares, which reach from 0 to 1."""
    targets = one_hot(400)
    blended, shares = changed("mixup", targets * 10, targets, {"mixup.alpha": 1.0})
    np.testing.assert_allclose(blended, shares * 10, rtol=1e-5)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    own = (shares * targets).sum(axis=1)
    is_blend = (shares > 0).sum(axis=1) == 2
    assert 0.6 < is_blend.mean() < 0.9  # of four classes, a quarter meets its own
    assert np.histogram(own[is_blend], 4, (0, 1))[0].min() > 0.15 * is_blend.sum()


def cutmix() -> None:
    """Each target has its own image's share of the area, and what is foreign is one rectangle."""
    labels = np.arange(200)
    x = np.broadcast_to(labels.reshape(-1, 1, 1, 1), (200, 12, 10, 1)).astype(np.float32)
    mixed, shares = changed("cutmix", x, np.eye(200, dtype=np.float32), {"cutmix.alpha": 1.0})
    for label in labels:
        foreign = mixed[label, ..., 0] != label
        np.testing.assert_allclose(shares[label, label], 1 - foreign.mean(), atol=1e-6)
        np.testing.assert_array_equal(foreign, foreign.any(axis=1)[:, None] & foreign.any(axis=0)[None])
        assert len(np.unique(mixed[label])) <= 2
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-6)
    areas = 1 - shares[labels, labels]
    assert areas.max() > 0.6
    assert areas.min() < 0.1


def ema() -> None:
    """The average lies between what it was and the weight; after the first step it is the weight."""
    treatment = TREATMENTS["ema"]({})
    assert treatment.keeps_average
    average, weight = (ops.convert_to_tensor(np.full(3, value, np.float32)) for value in (1.0, 2.0))

    def after(decay: float, *, is_first: bool) -> list[float]:
        at = knobs(treatment, {"ema.decay": decay})
        values: list[float] = array(treatment.average(average, weight, ops.convert_to_tensor(is_first), at)).tolist()
        return values

    np.testing.assert_allclose(after(0.75, is_first=False), [1.25] * 3)
    assert after(0.75, is_first=True) == [2.0] * 3
    assert after(0.0, is_first=False) == [2.0] * 3


def stochastic_depth() -> None:
    """Whole examples of a branch are left out, with a probability that is depth x rate."""
    x = np.ones((3000, 2, 2, 3), np.float32)
    for depth in (0.5, 1.0):
        drops(applied("stochastic_depth", x, {"stochastic_depth.rate": 0.6}, depth), 0.6 * depth, (1, 2, 3))
    layer = TREATMENTS["stochastic_depth"]({}).layer(0, "here", 1.0)  # type: ignore[attr-defined]  # checked above
    with lane_scope(LaneScope(key(), {}, is_sampling=True)):
        np.testing.assert_array_equal(array(layer(x, training=False)), x)


EFFECTS: dict[str, Callable[[], None]] = {
    effect.__name__: effect
    for effect in (
        dropout,
        input_dropout,
        spatial_dropout,
        recurrent_dropout,
        gaussian_dropout,
        gaussian_noise,
        alpha_dropout,
        monte_carlo_dropout,
        l1,
        l2,
        weight_decay,
        max_norm,
        batch_norm,
        label_smoothing,
        augmentation,
        mixup,
        cutmix,
        ema,
        stochastic_depth,
    )
}
"""The check of each regularizer."""
