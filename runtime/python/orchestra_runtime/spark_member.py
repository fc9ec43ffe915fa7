"""One classifier of a builder job: fitted, evaluated, asked for predictions, saved."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyspark.ml import classification
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.ml.functions import vector_to_array
from pyspark.sql.connect.dataframe import DataFrame

from orchestra_runtime import spark_model, tables
from orchestra_runtime.records import Manifest
from orchestra_runtime.spark_modeling import Features

ESTIMATORS = {
    "LR": classification.LogisticRegression,
    "DT": classification.DecisionTreeClassifier,
    "GB": classification.GBTClassifier,
    "RF": classification.RandomForestClassifier,
    "NB": classification.NaiveBayes,
}
SEED = 33  # of what draws at random: without one, it would be another in each Python process
METRICS = {"F1": "f1", "accuracy": "accuracy"}  # as the API names them: as Spark does
DROPPED = ("features", "rawPrediction")


class Build:
    """What one classifier makes of the features. `enter` is called with the name of each phase before it begins; what it raises
    ends the build."""

    def __init__(self, classifier: str, features: Features, staging: Path, enter: Callable[[str], None]) -> None:
        self._features = features
        self._staging = staging
        self._enter = enter
        self._estimator = estimator(classifier)
        self.facts: dict[str, Any] = {"classifier": classifier}

    def run(self) -> Manifest:
        """Raises what Spark raises."""
        with self._phase("fitting", "fitTime"):
            model = self._estimator.fit(self._features.training)
        if self._features.evaluation is not None:
            with self._phase("evaluating", "validationTime"):
                self._evaluate(model)
        with self._phase("predicting", "testTime"):
            rows = predictions(model, self._features.testing).toArrow()
        self._enter("saving")
        return self._save(model, rows)

    def _evaluate(self, model: Any) -> None:
        metrics = evaluate(model.transform(self._features.evaluation))
        self.facts |= {"metrics": metrics, **{name: str(value) for name, value in metrics.items()}}

    def _save(self, model: Any, rows: Any) -> Manifest:
        table = tables.write(rows, self._staging)
        spark_model.save(model, self._staging)
        return Manifest("model", (*table.parts, spark_model.FILE), type_name(model), table.fields, table.rows)

    @contextmanager
    def _phase(self, name: str, fact: str) -> Iterator[None]:
        self._enter(name)
        started = time.perf_counter()
        yield
        self.facts[fact] = round(time.perf_counter() - started, 3)


def estimator(classifier: str) -> Any:
    made = ESTIMATORS[classifier]()
    return made.setSeed(SEED) if made.hasParam("seed") else made


def evaluate(predicted: DataFrame) -> dict[str, float]:
    return {name: MulticlassClassificationEvaluator(metricName=metric).evaluate(predicted) for name, metric in METRICS.items()}


def predictions(model: Any, testing: DataFrame) -> DataFrame:
    """The testing data with prediction and probability, a list."""
    rows = model.transform(testing).drop(*DROPPED)
    return rows.withColumn("probability", vector_to_array("probability"))


def type_name(model: Any) -> str:
    return f"{type(model).__module__}.{type(model).__qualname__}"
