"""The Titanic builder as a plain PySpark script: what a data scientist would write without this project.

    python bench/titanic_plain.py                           from the CSV files of examples/titanic
    python bench/titanic_plain.py --parquet TRAIN TEST      from two typed Parquet files

Prints one JSON object: per classifier F1 and accuracy (as the API prints them) and the number of predictions, and the seconds
since the start. The first form is what the speed of the API is held against; the second, given the very files that a builder
step was given, what its metrics must equal to the last digit.
"""
import time

STARTED = time.perf_counter()

import argparse
import concurrent.futures
import json
import pathlib
import sys
import tempfile

from pyspark.ml.classification import (DecisionTreeClassifier, GBTClassifier, LogisticRegression, NaiveBayes,
                                       RandomForestClassifier)
from pyspark.ml.evaluation import MulticlassClassificationEvaluator
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

EXAMPLE = pathlib.Path(__file__).resolve().parent.parent / "examples" / "titanic"
CLASSIFIERS = {"LR": LogisticRegression, "DT": DecisionTreeClassifier, "GB": GBTClassifier, "RF": RandomForestClassifier,
               "NB": NaiveBayes}
SEED = 33  # the builder's, for what draws at random
COLUMNS = ["PassengerId", "Survived", "Pclass", "Name", "Sex", "Age", "SibSp", "Parch", "Fare", "Embarked"]
TEXTS = {"Name", "Sex", "Embarked"}


def from_csv(spark, name):
    """The columns that matter, the numbers as numbers."""
    table = spark.read.csv(str(EXAMPLE / name), header=True, quote='"', escape='"')
    return table.select(*[F.col(name) if name in TEXTS else F.col(name).cast("double")
                          for name in COLUMNS if name in table.columns])


def builder(name, frames, folder):
    """Fits, evaluates, predicts and saves one classifier."""
    classifier = CLASSIFIERS[name]()
    if classifier.hasParam("seed"):
        classifier.setSeed(SEED)
    model = classifier.fit(frames["features_training"])
    evaluated = model.transform(frames["features_evaluation"])
    metrics = {metric: str(MulticlassClassificationEvaluator(metricName=spark_name).evaluate(evaluated))
               for metric, spark_name in [("F1", "f1"), ("accuracy", "accuracy")]}
    predictions = model.transform(frames["features_testing"]).drop("features", "rawPrediction").collect()
    model.write().overwrite().save(f"{folder}/{name}")
    return {**metrics, "predictions": len(predictions)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--parquet", nargs=2, metavar=("TRAIN", "TEST"))
    parser.add_argument("--modeling", type=pathlib.Path, default=EXAMPLE / "modeling.py")
    parser.add_argument("--classifiers", nargs="+", choices=CLASSIFIERS, default=list(CLASSIFIERS))
    arguments = parser.parse_args()

    spark = SparkSession.builder.appName("titanic").config("spark.ui.enabled", "false").getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    if arguments.parquet:
        spark.conf.set("spark.sql.files.minPartitionNum", 8)  # as in the API's server: the same partitions
        training, testing = [spark.read.parquet(path) for path in arguments.parquet]
    else:
        training, testing = from_csv(spark, "titanic_train.csv"), from_csv(spark, "titanic_test.csv")

    frames = {"training_df": training, "testing_df": testing, "spark": spark}
    exec(compile(arguments.modeling.read_text(), str(arguments.modeling), "exec"), frames)

    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor() as threads:
        started = {name: threads.submit(builder, name, frames, folder) for name in arguments.classifiers}
        results = {name: future.result() for name, future in started.items()}
    spark.stop()
    json.dump({"seconds": round(time.perf_counter() - STARTED, 2), "classifiers": results}, sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
