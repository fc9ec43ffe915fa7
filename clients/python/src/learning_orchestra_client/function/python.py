"""Python functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learning_orchestra_client._service import Service


class FunctionPython(Service):
    def __init__(self, cluster_ip: str):
        super().__init__(cluster_ip, "function/python")

    def run_function_sync(self, name: str, parameters: dict[str, Any], code: str, description: str = "",
                          pretty_response: bool = False) -> Any:
        """Runs the code and returns at its end."""
        return self._run(name, parameters, code, description, pretty_response, name)

    def run_function_async(self, name: str, parameters: dict[str, Any], code: str, description: str = "",
                           pretty_response: bool = False) -> Any:
        """Returns at once; `wait` waits for the end."""
        return self._run(name, parameters, code, description, pretty_response, None)

    def _run(self, name: str, parameters: dict[str, Any], code: str, description: str, pretty_response: bool,
             waits_for: str | None) -> Any:
        body = {"name": name, "functionParameters": parameters, "function": code, "description": description}
        return self._send(body, waits_for, pretty_response)

    def search_all_executions(self, pretty_response: bool = False) -> Any:
        return self._all(pretty_response)

    def delete_execution(self, name: str, pretty_response: bool = False) -> Any:
        return self._delete(name, pretty_response)

    def search_execution_content(self, name: str, query: Mapping[str, Any] | None = None, limit: int = 10, skip: int = 0,
                                 pretty_response: bool = False) -> Any:
        return self._content(name, query, limit, skip, pretty_response)

    def wait(self, dataset_name: str, timeout: int | None = None) -> dict[str, Any]:
        return self._observer.wait(dataset_name, timeout)
