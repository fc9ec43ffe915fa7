"""How often values occur."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learning_orchestra_client._service import Service


class ExploreHistogram(Service):
    def __init__(self, cluster_ip: str):
        super().__init__(cluster_ip, "explore/histogram")

    def run_histogram_sync(self, dataset_name: str, histogram_name: str, fields: list[str], pretty_response: bool = False) -> Any:
        """Counts, and returns at the end."""
        return self._count(dataset_name, histogram_name, fields, pretty_response, histogram_name)

    def run_histogram_async(self, dataset_name: str, histogram_name: str, fields: list[str], pretty_response: bool = False) -> Any:
        """Returns at once; `wait` waits for the end."""
        return self._count(dataset_name, histogram_name, fields, pretty_response, None)

    def _count(self, dataset_name: str, histogram_name: str, fields: list[str], pretty_response: bool,
               waits_for: str | None) -> Any:
        body = {"inputDatasetName": dataset_name, "outputDatasetName": histogram_name, "names": fields}
        return self._send(body, waits_for, pretty_response)

    def search_all_histograms(self, pretty_response: bool = False) -> Any:
        return self._all(pretty_response)

    def search_histogram_content(self, histogram_name: str, query: Mapping[str, Any] | None = None, limit: int = 10,
                                 skip: int = 0, pretty_response: bool = False) -> Any:
        return self._content(histogram_name, query, limit, skip, pretty_response)

    def delete_histogram(self, histogram_name: str, pretty_response: bool = False) -> Any:
        return self._delete(histogram_name, pretty_response)

    def wait(self, name: str, timeout: int | None = None) -> dict[str, Any]:
        return self._observer.wait(name, timeout)
