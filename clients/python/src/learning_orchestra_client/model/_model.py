"""Models: instances of a tool's classes."""

from __future__ import annotations

from typing import Any

from learning_orchestra_client._service import Service


class Model(Service):
    def create_model_sync(self, name: str, module_path: str, class_name: str, class_parameters: dict[str, Any],
                          description: str = "", pretty_response: bool = False) -> Any:
        """Makes the model and returns at its end."""
        return self._create(name, module_path, class_name, class_parameters, description, pretty_response, waits=True)

    def create_model_async(self, name: str, module_path: str, class_name: str, class_parameters: dict[str, Any],
                           description: str = "", pretty_response: bool = False) -> Any:
        """Returns at once; `wait` waits for the end."""
        return self._create(name, module_path, class_name, class_parameters, description, pretty_response, waits=False)

    def _create(self, name: str, module_path: str, class_name: str, class_parameters: dict[str, Any], description: str,
                pretty_response: bool, waits: bool) -> Any:
        body = {"modelName": name, "modulePath": module_path, "class": class_name, "classParameters": class_parameters,
                "description": description}
        return self._send(body, name if waits else None, pretty_response)

    def search_all_models(self, pretty_response: bool = False) -> Any:
        return self._all(pretty_response)

    def delete_model(self, name: str, pretty_response: bool = False) -> Any:
        return self._delete(name, pretty_response)

    def search_model(self, name: str, pretty_response: bool = False) -> Any:
        return self._content(name, None, 10, 0, pretty_response)

    def wait(self, name: str, timeout: int | None = None) -> dict[str, Any]:
        return self._observer.wait(name, timeout)
