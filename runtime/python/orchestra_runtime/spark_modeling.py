"""Runs the user's modelingCode on the two datasets and takes the features from it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.ml.functions import vector_to_array
from pyspark.ml.linalg import VectorUDT
from pyspark.sql.connect.dataframe import DataFrame
from pyspark.sql.connect.session import SparkSession

from orchestra_runtime import tables, usercode
from orchestra_runtime.records import Input

FILENAME = "<modelingCode>"  # as tracebacks name it


class FeaturesMissing(Exception):
    """The code ended without having left what the builder takes from it."""


@dataclass(frozen=True, slots=True)
class Features:
    """Computed when first used, once for all classifiers; kept on the Spark server until the session ends."""

    training: DataFrame  # features, label
    evaluation: DataFrame | None  # features, label; None: F1 and accuracy are not measured
    testing: DataFrame  # features, and what else the code left; no other vectors


def read(spark: SparkSession, stored: Input) -> DataFrame:
    """The rows of a stored table, in their order."""
    path = tables.as_parquet(stored.parts, Path(tempfile.mkdtemp()))  # which lives as long as the step
    return spark.read.parquet("file:" + _PATTERN.sub(r"\\\g<0>", str(path)))


def features(code: str, training: DataFrame, testing: DataFrame, spark: SparkSession) -> Features:
    """Runs `code` once. Raises what it raises; FeaturesMissing, which names what it did not leave."""
    left = usercode.run(code, FILENAME, {"training_df": training, "testing_df": testing, "spark": spark})
    missing = [name for name in _NAMES if name not in left]
    if missing:
        raise FeaturesMissing(f"modelingCode never set {_quoted(missing)}; the builder needs {_quoted(_NAMES)}")
    return Features(
        training=_learnable(left, "features_training"),
        evaluation=None if left["features_evaluation"] is None else _learnable(left, "features_evaluation"),
        testing=_predictable(left, "features_testing"),
    )


_PATTERN = re.compile(r"[\\*?{}\[\]]")  # what Spark would take for a pattern in a path
_NAMES = ("features_training", "features_evaluation", "features_testing")
_OPTIONAL = "features_evaluation"


def _learnable(left: Mapping[str, Any], name: str) -> DataFrame:
    frame = _frame(left, name, ("features", "label"))
    return _kept(frame.select("features", "label"))


def _predictable(left: Mapping[str, Any], name: str) -> DataFrame:
    frame = _frame(left, name, ("features",))
    vectors = [field.name for field in frame.schema if isinstance(field.dataType, VectorUDT) and field.name != "features"]
    return _kept(frame.withColumns({each: vector_to_array(frame[each]) for each in vectors}) if vectors else frame)


def _frame(left: Mapping[str, Any], name: str, needed: tuple[str, ...]) -> DataFrame:
    frame = left[name]
    if not isinstance(frame, DataFrame):
        expected = "a Spark DataFrame" + (" or None" if name == _OPTIONAL else "")
        raise FeaturesMissing(f"modelingCode left a {type(frame).__name__} as `{name}`; it must be {expected}")
    lacking = [column for column in needed if column not in frame.columns]
    if lacking:
        raise FeaturesMissing(f"`{name}` has no column {_quoted(lacking)}; it has {_quoted(frame.columns)}")
    return frame


def _kept(frame: DataFrame) -> DataFrame:
    """The same rows in the same partitions, computed once. Unlike a cache it belongs to the session and ends with it."""
    return frame.localCheckpoint(eager=False)


def _quoted(names: Any) -> str:
    return ", ".join(f"`{name}`" for name in names)
