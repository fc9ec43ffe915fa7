"""Spark ML classifiers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learning_orchestra_client._service import Service


class BuilderSparkMl(Service):
    def __init__(self, cluster_ip: str):
        super().__init__(cluster_ip, "builder/sparkml")

    def run_spark_ml_sync(self, train_dataset_name: str, test_dataset_name: str, modeling_code: str,
                          model_classifiers: list[str], pretty_response: bool = False) -> Any:
        """Fits the classifiers and returns when all have ended. Each is a step, named by the test dataset and the classifier."""
        body = self._body(train_dataset_name, test_dataset_name, modeling_code, model_classifiers)
        result = self._send(body, None, pretty_response)
        for classifier in model_classifiers if result else []:
            self._observer.wait(f"{test_dataset_name}{classifier}")
        return result

    def run_spark_ml_async(self, train_dataset_name: str, test_dataset_name: str, modeling_code: str,
                           model_classifiers: list[str], pretty_response: bool = False) -> Any:
        """Returns at once; `wait` waits for the end of one classifier."""
        body = self._body(train_dataset_name, test_dataset_name, modeling_code, model_classifiers)
        return self._send(body, None, pretty_response)

    def _body(self, train: str, test: str, code: str, classifiers: list[str]) -> dict[str, Any]:
        return {"trainDatasetName": train, "testDatasetName": test, "modelingCode": code, "classifiersList": classifiers}

    def search_all_builders(self, pretty_response: bool = False) -> Any:
        return self._all(pretty_response)

    def search_builder_register_predictions(self, builder_name: str, query: Mapping[str, Any] | None = None, limit: int = 10,
                                            skip: int = 0, pretty_response: bool = False) -> Any:
        return self._content(builder_name, query, limit, skip, pretty_response)

    def search_builder(self, builder_name: str, pretty_response: bool = False) -> Any:
        return self._content(builder_name, None, 1, 0, pretty_response)

    def delete_builder(self, builder_name: str, pretty_response: bool = False) -> Any:
        return self._delete(builder_name, pretty_response)

    def wait(self, dataset_name: str, timeout: int | None = None) -> dict[str, Any]:
        return self._observer.wait(dataset_name, timeout)
