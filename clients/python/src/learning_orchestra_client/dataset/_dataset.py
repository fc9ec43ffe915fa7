"""Datasets, read by the server from a URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learning_orchestra_client._service import Service


class Dataset(Service):
    def insert_dataset_sync(self, dataset_name: str, url: str, pretty_response: bool = False) -> Any:
        """Reads the dataset and returns at its end."""
        return self._send({"datasetName": dataset_name, "datasetURI": url}, dataset_name, pretty_response)

    def insert_dataset_async(self, dataset_name: str, url: str, pretty_response: bool = False) -> Any:
        """Returns at once; `wait` waits for the end."""
        return self._send({"datasetName": dataset_name, "datasetURI": url}, None, pretty_response)

    def search_all_datasets(self, pretty_response: bool = False) -> Any:
        return self._all(pretty_response)

    def delete_dataset(self, dataset_name: str, pretty_response: bool = False) -> Any:
        return self._delete(dataset_name, pretty_response)

    def search_dataset_content(self, dataset_name: str, query: Mapping[str, Any] | None = None, limit: int = 10, skip: int = 0,
                               pretty_response: bool = False) -> Any:
        return self._content(dataset_name, query, limit, skip, pretty_response)

    def wait(self, dataset_name: str, timeout: int | None = None) -> dict[str, Any]:
        return self._observer.wait(dataset_name, timeout)
