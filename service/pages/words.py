"""What a study asks, in words a person would use."""

from dataclasses import dataclass

from search_spaces.datasets import DrawnRef
from search_spaces.models import MLP, ConvNet, Layers, Plugin, Recurrent
from search_spaces.models.kinds import AnyLayer
from search_spaces.preprocessing import ZCA
from search_spaces.ranges import Fixed, Interval
from search_spaces.regularizers import RegularizerSpec
from search_spaces.regularizers.base import AskedRange
from search_spaces.samplers import SAMPLERS
from search_spaces.spec import StudySpec
from search_spaces.values import Scalar

MODEL_NAMES = {
    "mlp": "an MLP",
    "convnet": "a convolutional network",
    "recurrent": "a recurrent network",
    "layers": "a network of layers",
    "plugin": "an installed model",
}
PREPROCESSING = {
    "none": "as it is",
    "scale": "scaled to 0–1",
    "standardize": "standardized",
    "column_l2": "columns scaled to unit length",
    "zca": "ZCA-whitened",
}


@dataclass(frozen=True)
class Fact:
    """One line of what a study asks."""

    label: str
    text: str


@dataclass(frozen=True)
class Question:
    """What a study asks: one sentence, and the facts behind it."""

    headline: str
    facts: tuple[Fact, ...]


def question(spec: StudySpec) -> Question:
    """The question of a study."""
    regularizers = [(name, asked) for name, asked in spec.regularizers.items()]
    facts = [Fact(_title(name), _asked(asked)) for name, asked in regularizers]
    facts += [
        Fact("model", _model(spec)),
        Fact("data", f"{spec.dataset.name}, {_preprocessing(spec)}"),
        Fact("validation", _validation(spec)),
        Fact("training", _training(spec)),
        Fact("search", _search(spec)),
    ]
    return Question(_headline(spec, [_title(name) for name, _ in regularizers]), tuple(facts))


def _preprocessing(spec: StudySpec) -> str:
    asked = spec.preprocessing
    return PREPROCESSING[asked.name] + (f" with epsilon {asked.epsilon:g}" if isinstance(asked, ZCA) else "")


def _headline(spec: StudySpec, names: list[str]) -> str:
    subject = f"{MODEL_NAMES[spec.model.family]} on {spec.dataset.name}"
    if not names:
        return f"How well does {subject} do without any regularizer, and how much does that vary from seed to seed?"
    does = "Does" if len(names) == 1 else "Do"
    return f"{does} {_and(names)} make {subject} generalize better, and how strong should {_each(names)} be?"


def _each(names: list[str]) -> str:
    return "it" if len(names) == 1 else "each"


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _title(name: str) -> str:
    return name.upper() if name in {"l1", "l2"} else name.replace("_", " ")


def _asked(asked: RegularizerSpec) -> str:
    parts = [f"{name.replace('_', ' ')} {_range(value)}" for name, _, value in asked.ranges() if _is_told(asked, name)]
    return "; ".join(parts) + (", or off" if asked.optional else "")


def _is_told(asked: RegularizerSpec, name: str) -> bool:
    return bool(getattr(asked, name) != type(asked).model_fields[name].default)


def _range(asked: AskedRange) -> str:
    if isinstance(asked, Fixed):
        return _scalar(asked.value)
    if isinstance(asked, Interval):
        how = " on a log scale" if asked.log else "" if asked.step is None else f" in steps of {_scalar(asked.step)}"
        return f"{_scalar(asked.low)} to {_scalar(asked.high)}{how}"
    return ", ".join(_scalar(value) for value in asked.levels())


def _scalar(value: Scalar) -> str:
    if isinstance(value, float):
        return f"{value:g}".replace("e-0", "e-")
    return str(value).replace("_", " ")


def _model(spec: StudySpec) -> str:
    model = spec.model
    match model:
        case MLP():
            layers = _units(model.hidden_units) or "no hidden layer"
        case ConvNet():
            layers = f"{_blocks(model)} ({model.kernel_size}×{model.kernel_size}), {_units(model.hidden_units)}"
        case Recurrent():
            layers = f"{_cells(model)}, {_units(model.hidden_units)}"
        case Layers():
            return f"layers, {', '.join(map(_layer, model.layers)) or 'none but the last'}"
        case Plugin():
            options = ", ".join(f"{name} {_scalar(value)}" for name, value in model.options.items())
            return f"plugin, {model.name}{': ' if options else ''}{options}"
    activation = "" if isinstance(model, Recurrent) and not model.hidden_units else f", {model.activation}"
    return f"{model.family}, {layers.rstrip(', ')}{activation}"


def _layer(layer: AnyLayer) -> str:
    size = getattr(layer, "units", None) or getattr(layer, "filters", None) or getattr(layer, "output_dim", None)
    return layer.kind if size is None else f"{layer.kind} {size}"


def _blocks(model: ConvNet) -> str:
    kind = "residual convolutions" if model.residual else "convolutions"
    several = "" if model.convolutions_per_block == 1 else f"{model.convolutions_per_block} "
    return f"{several}{kind}{' a block,' if several else ''} {'-'.join(map(str, model.channels))}"


def _cells(model: Recurrent) -> str:
    ways = "bidirectional " if model.bidirectional else ""
    embedded = "" if model.embedding is None else f"embedding of {model.embedding}, "
    return f"{embedded}{ways}{model.cell.upper()} {'-'.join(map(str, model.units))}"


def _units(units: tuple[int, ...]) -> str:
    if not units:
        return ""
    return f"{'-'.join(map(str, units))} hidden units"


def _validation(spec: StudySpec) -> str:
    evaluation = spec.evaluation
    if evaluation.protocol == "as_published":
        return "the test set itself, as published"
    if isinstance(spec.dataset, DrawnRef):
        return "the points that do not train; the test is drawn anew"
    how = "drawn at random" if evaluation.split == "random" else "its last rows"
    return f"{evaluation.validation_fraction:.0%} of the training data, {how}"


def _training(spec: StudySpec) -> str:
    training, optimizer = spec.training, spec.training.optimizer
    nesterov = "Nesterov " if optimizer.nesterov else ""
    momentum = f", {nesterov}momentum {optimizer.momentum:g}" if optimizer.momentum else ""
    decay = f", weight decay {optimizer.weight_decay:g}" if optimizer.weight_decay is not None else ""
    schedule = "" if optimizer.schedule.name == "constant" else f", {optimizer.schedule.name} schedule"
    weights = ", balanced class weights" if training.class_weights == "balanced" else ""
    return (
        f"{training.epochs:,} epochs, batch size {training.batch_size}, "
        f"{optimizer.name} at learning rate {optimizer.learning_rate:g}{schedule}{momentum}{decay}{weights}"
    )


def _search(spec: StudySpec) -> str:
    trials = "" if spec.budget.trials is None else f", at most {spec.budget.trials:,} trials"
    pruner = "" if spec.search.pruner == "none" else f", {spec.search.pruner} pruner"
    seeds = "1 replicate" if spec.budget.replicates == 1 else f"{spec.budget.replicates:,} replicates"
    return f"{spec.search.sampler}: {SAMPLERS[spec.search.sampler]}{trials}{pruner}; {seeds} per trial"
