"""What differs between Keras' backends, one small file each behind one contract, chosen by the backend Keras runs on.

Everything else of the engine is written in `keras.ops`.
"""

from importlib import import_module

import keras

from trials.engine.backends.base import Backend

__all__ = ["BACKENDS", "Backend", "current_backend"]

BACKENDS = {
    "tensorflow": "trials.engine.backends.tensorflow:TensorFlowBackend",
    "jax": "trials.engine.backends.jax:JaxBackend",
}
"""By Keras' name for it; imported only where it is the one in use."""


def current_backend() -> Backend:
    """The backend of this process.

    Raises:
        RuntimeError: Keras runs on a backend that the engine does not know.
    """
    name = keras.backend.backend()
    if name not in BACKENDS:
        msg = f"KERAS_BACKEND: expected one of {', '.join(BACKENDS)}; received {name}"
        raise RuntimeError(msg)
    module, _, kind = BACKENDS[name].partition(":")
    backend: Backend = getattr(import_module(module), kind)()
    return backend
