"""A script as users of the 2021 client wrote them; nothing in it knows of today's server.

    titanic_script.py CLUSTER TRAINING_URL TESTING_URL MODELING_CODE_FILE
"""

import pathlib
import sys

from learning_orchestra_client.builder.builder import BuilderSparkMl
from learning_orchestra_client.dataset.csv import DatasetCsv
from learning_orchestra_client.explore.histogram import ExploreHistogram
from learning_orchestra_client.observe.observe import Observer
from learning_orchestra_client.transform.data_type import TransformDataType
from learning_orchestra_client.transform.projection import TransformProjection

CLUSTER_IP, TRAINING_URL, TESTING_URL, CODE = sys.argv[1:]
COLUMNS = ["PassengerId", "Pclass", "Age", "SibSp", "Parch", "Fare", "Name", "Sex", "Embarked"]
NUMBERS = dict.fromkeys(["PassengerId", "Pclass", "Age", "SibSp", "Parch", "Fare"], "number")

datasets = DatasetCsv(CLUSTER_IP)
datasets.insert_dataset_async(url=TRAINING_URL, dataset_name="old_training")
datasets.insert_dataset_async(url=TESTING_URL, dataset_name="old_testing")
datasets.wait(dataset_name="old_training")
datasets.wait(dataset_name="old_testing", timeout=60)
print(datasets.search_dataset_content("old_training", limit=1, pretty_response=True))

projections = TransformProjection(CLUSTER_IP)
projections.remove_dataset_attributes_async(dataset_name="old_training", projection_name="old_training_projection",
                                            fields=[*COLUMNS, "Survived"])
projections.remove_dataset_attributes_sync(dataset_name="old_testing", projection_name="old_testing_projection", fields=COLUMNS)
projections.wait(projection_name="old_training_projection")

types = TransformDataType(CLUSTER_IP)
types.update_dataset_type_async(dataset_name="old_testing_projection", types=NUMBERS)
types.update_dataset_type_sync(dataset_name="old_training_projection", types={**NUMBERS, "Survived": "number"})
types.wait(dataset_name="old_testing_projection")

histograms = ExploreHistogram(CLUSTER_IP)
histograms.run_histogram_sync("old_training_projection", "old_histogram", ["Sex"])
counts = histograms.search_histogram_content("old_histogram", query={"_id": 1})["result"][0]["Sex"]
print("histogram", {each["_id"]: each["count"] for each in counts})

builder = BuilderSparkMl(CLUSTER_IP)
result = builder.run_spark_ml_async(
    train_dataset_name="old_training_projection", test_dataset_name="old_testing_projection",
    modeling_code=pathlib.Path(CODE).read_text(), model_classifiers=["LR", "DT", "NB"])
for url in result["result"]:
    name = url.split("/")[6].split("?")[0]
    metadata = Observer(CLUSTER_IP).wait(name)
    rows = builder.search_builder_register_predictions(builder_name=name, query={"prediction": 1.0}, limit=3)["result"]
    print("classifier", name, metadata["finished"], float(metadata["accuracy"]) > 0.5, len(rows))
print("deleted", builder.delete_builder("old_testing_projectionNB"))
print("refused", datasets.insert_dataset_sync("old_training", TRAINING_URL))
