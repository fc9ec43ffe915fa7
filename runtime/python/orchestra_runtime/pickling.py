"""cloudpickle, and what it cannot do alone: models and layers of Keras that are made of the user's own classes and functions."""

from __future__ import annotations

from typing import Any

import cloudpickle

from orchestra_runtime import keras_models


class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    def reducer_override(self, value: Any) -> Any:
        if keras_models.is_layer(value):
            return keras_models.reduced(value)
        return super().reducer_override(value)
