"""Weights of the classes in the training loss."""

import numpy as np
from sklearn.utils.class_weight import compute_class_weight

from trials.datasets.dataset import Dataset


def balanced(data: Dataset) -> tuple[float, ...]:
    """One weight per class: the inverse of its share of the training data, over the number of classes.

    A class without training data weighs 1.
    """
    labels = np.asarray(data.y_train)
    present = np.unique(labels)
    weights = np.ones(data.n_classes)
    weights[present] = compute_class_weight("balanced", classes=present, y=labels)
    return tuple(float(weight) for weight in weights)
