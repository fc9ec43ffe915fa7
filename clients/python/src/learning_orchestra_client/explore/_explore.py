"""Pictures of results."""

from __future__ import annotations

from typing import Any

from learning_orchestra._calls import Call
from learning_orchestra_client._service import Execution, answer


class Explore(Execution):
    def create_explore_sync(self, name: str, model_name: str, parent_name: str, method_name: str, parameters: dict[str, Any],
                            description: str = "", pretty_response: bool = False) -> Any:
        """Runs the step and returns at its end."""
        return self._execute(name, model_name, parent_name, method_name, parameters, description, pretty_response, waits=True)

    def create_explore_async(self, name: str, model_name: str, parent_name: str, method_name: str, parameters: dict[str, Any],
                             description: str = "", pretty_response: bool = False) -> Any:
        """Returns at once; `wait` waits for the end."""
        return self._execute(name, model_name, parent_name, method_name, parameters, description, pretty_response, waits=False)

    def search_all_explores(self, pretty_response: bool = False) -> Any:
        return self._all(pretty_response)

    def delete_explore(self, name: str, pretty_response: bool = False) -> Any:
        return self._delete(name, pretty_response)

    def search_explore_image(self, name: str, pretty_response: bool = False) -> Any:
        """The picture as the bytes of a PNG file."""
        response = self._client.send(Call("GET", self._named(name)))
        return response.content if response.status_code == 200 else answer(response, pretty_response)

    def search_explore_metadata(self, name: str, pretty_response: bool = False) -> Any:
        return self._content(name, None, 10, 0, pretty_response, "/metadata")

    def wait(self, name: str, timeout: int | None = None) -> dict[str, Any]:
        return self._observer.wait(name, timeout)
