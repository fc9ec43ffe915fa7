"""Types of fields, changed in place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learning_orchestra_client._service import Service


class TransformDataType(Service):
    def __init__(self, cluster_ip: str):
        super().__init__(cluster_ip, "transform/dataType")

    def update_dataset_type_sync(self, dataset_name: str, types: dict[str, str], pretty_response: bool = False) -> Any:
        """Changes the types and returns at the end."""
        return self._send({"inputDatasetName": dataset_name, "types": types}, dataset_name, pretty_response, "PATCH")

    def update_dataset_type_async(self, dataset_name: str, types: dict[str, str], pretty_response: bool = False) -> Any:
        """Returns at once; `wait` waits for the end."""
        return self._send({"inputDatasetName": dataset_name, "types": types}, None, pretty_response, "PATCH")

    def search_all_datatype(self, pretty_response: bool = False) -> Any:
        return self._all(pretty_response)

    def delete_datatype(self, name: str, pretty_response: bool = False) -> Any:
        return self._delete(name, pretty_response)

    def search_datatype_content(self, name: str, query: Mapping[str, Any] | None = None, limit: int = 10, skip: int = 0,
                                pretty_response: bool = False) -> Any:
        return self._content(name, query, limit, skip, pretty_response)

    def wait(self, dataset_name: str, timeout: int | None = None) -> dict[str, Any]:
        return self._observer.wait(dataset_name, timeout)
