"""Datasets with fewer fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learning_orchestra._calls import Call
from learning_orchestra_client._service import Service, answer


class TransformProjection(Service):
    def __init__(self, cluster_ip: str):
        super().__init__(cluster_ip, "transform/projection")

    def remove_dataset_attributes_sync(self, dataset_name: str, projection_name: str, fields: list[str],
                                       pretty_response: bool = False) -> Any:
        """Makes a dataset of the fields named, which are those that stay, and returns at its end."""
        return self._project(dataset_name, projection_name, fields, pretty_response, projection_name)

    def remove_dataset_attributes_async(self, dataset_name: str, projection_name: str, fields: list[str],
                                        pretty_response: bool = False) -> Any:
        """Returns at once; `wait` waits for the end."""
        return self._project(dataset_name, projection_name, fields, pretty_response, None)

    def _project(self, dataset_name: str, projection_name: str, fields: list[str], pretty_response: bool,
                 waits_for: str | None) -> Any:
        body = {"inputDatasetName": dataset_name, "outputDatasetName": projection_name, "names": fields}
        return self._send(body, waits_for, pretty_response)

    def search_all_projections(self, pretty_response: bool = False) -> Any:
        return self._all(pretty_response)

    def search_projection_content(self, projection_name: str, query: Mapping[str, Any] | None = None, limit: int = 10,
                                  skip: int = 0, pretty_response: bool = False) -> Any:
        return self._content(projection_name, query, limit, skip, pretty_response)

    def delete_projection(self, projection_name: str, pretty_response: bool = False) -> Any:
        """Raises for a refusal, as only this method did in 2021."""
        response = self._client.send(Call("DELETE", self._named(projection_name)))
        response.raise_for_status()
        return answer(response, pretty_response)

    def wait(self, projection_name: str, timeout: int | None = None) -> dict[str, Any]:
        return self._observer.wait(projection_name, timeout)
