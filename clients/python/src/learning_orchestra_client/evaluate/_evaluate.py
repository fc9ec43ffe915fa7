"""Evaluations of trained models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from learning_orchestra_client._service import Execution


class Evaluate(Execution):
    def create_evaluate_sync(self, name: str, model_name: str, parent_name: str, method_name: str, parameters: dict[str, Any],
                             description: str = "", pretty_response: bool = False) -> Any:
        """Runs the step and returns at its end."""
        return self._execute(name, model_name, parent_name, method_name, parameters, description, pretty_response, waits=True)

    def create_evaluate_async(self, name: str, model_name: str, parent_name: str, method_name: str, parameters: dict[str, Any],
                              description: str = "", pretty_response: bool = False) -> Any:
        """Returns at once; `wait` waits for the end."""
        return self._execute(name, model_name, parent_name, method_name, parameters, description, pretty_response, waits=False)

    def search_all_evaluates(self, pretty_response: bool = False) -> Any:
        return self._all(pretty_response)

    def delete_evaluate(self, name: str, pretty_response: bool = False) -> Any:
        return self._delete(name, pretty_response)

    def search_evaluate_content(self, name: str, query: Mapping[str, Any] | None = None, limit: int = 10, skip: int = 0,
                                pretty_response: bool = False) -> Any:
        return self._content(name, query, limit, skip, pretty_response)

    def wait(self, name: str, timeout: int | None = None) -> dict[str, Any]:
        return self._observer.wait(name, timeout)
