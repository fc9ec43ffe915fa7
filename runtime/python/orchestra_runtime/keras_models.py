"""Models and layers of Keras as pickles: structure, weights, compilation and optimizer as Keras itself saves them, and beside them
the user's own classes and functions, of which Keras saves no more than the names."""

from __future__ import annotations

import io
import pickle
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any

_LIBRARIES = ("keras", "tensorflow", "builtins")


def is_model(value: Any) -> bool:
    return _is(value, "Model")


def is_layer(value: Any) -> bool:
    """A model is one, too."""
    return _is(value, "Layer")


def reduced(model: Any) -> tuple[Any, ...]:
    """As __reduce__ gives it."""
    own = _own_objects(model)
    restore, (file,) = model.__reduce__()
    is_new = not getattr(getattr(model, "optimizer", None), "built", True)
    return restored, (restore, pickle.PickleBuffer(file.getvalue()), own, is_new, _history(model))


def restored(restore: Callable[[io.BytesIO], Any], content: Any, own: dict[str, Any], is_new: bool,
             history: dict[str, Any] | None = None) -> Any:
    """`is_new`: its optimizer had no state yet. `history`: of its last training, which Keras does not save."""
    import keras

    keras.saving.get_custom_objects().update(own)  # for good: the model names them again when it is next saved
    with warnings.catch_warnings():
        if is_new:
            warnings.filterwarnings("ignore", "Skipping variable loading for optimizer")
        model = restore(io.BytesIO(content))
    if history:
        model.history = keras.callbacks.History()
        model.history.__dict__.update(history)
        model.history.set_model(model)
    return model


def _history(model: Any) -> dict[str, Any]:
    """What the History says that a model has once it was trained."""
    import keras

    found = getattr(model, "history", None)
    if not isinstance(found, keras.callbacks.History):
        return {}
    return {name: getattr(found, name) for name in ("history", "epoch", "params") if hasattr(found, name)}


def _own_objects(model: Any) -> dict[str, Any]:
    """The user's classes and functions by the names that the saved model has for them."""
    import keras

    own = [each for each in _used(model) if each.__module__.partition(".")[0] not in _LIBRARIES]
    for number, each in enumerate(dict.fromkeys(own)):
        if each.__name__ == "<lambda>":  # which Keras would save without what it refers to
            each.__name__ = f"lambda_{number}"
    return {name: each for each in own for name in (each.__name__, keras.saving.get_registered_name(each))}


def _used(model: Any) -> Iterator[Any]:
    """Functions, and classes that Keras makes from their configuration, in the layers and in what the model was compiled with."""
    compiled = getattr(getattr(model, "_compile_config", None), "config", {})
    for part in (*model._flatten_layers(), *_leaves(compiled)):
        for each in (part, *_leaves(_attributes(part))):
            if isinstance(each, FunctionType):
                yield each
            elif not isinstance(each, type):
                yield from (kind for kind in type(each).__mro__ if hasattr(kind, "from_config"))


def _attributes(part: Any) -> list[Any]:
    """Without what Keras has wrapped of its methods, which holds the instance."""
    own = {} if isinstance(part, FunctionType) else getattr(part, "__dict__", {})
    return [each for name, each in own.items() if not hasattr(type(part), name)]


def _is(value: Any, name: str) -> bool:
    """Loads no library: where Keras was never imported, there is none."""
    kind = getattr(sys.modules.get("keras"), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for each in value:
            yield from _leaves(each)
    else:
        yield value
