"""A workflow file as calls of the API, for measuring what a client and a server need for it without the start of either."""

import pathlib
import time

import yaml

NAMES = ("datasetName", "outputDatasetName", "modelName", "name")
UPLOADED = ("dataset/csv", "dataset/generic")


class Workflow:
    """The steps of a file, in its order, in which each stands after those that it names. All their names begin with `prefix`."""

    def __init__(self, path, prefix):
        self.folder = pathlib.Path(path).parent
        self.prefix = prefix
        self.text = pathlib.Path(path).read_text()

    def run(self, server, prefix):
        """Seconds from the first call to the end of the last step, all of them named `prefix` instead."""
        steps = yaml.safe_load(self.text.replace(self.prefix, prefix))["steps"]
        start = time.perf_counter()
        for step in steps:
            self._call(server, dict(step))
        for name in self._names(steps):
            ended = server.ended(name, timeout=600)
            assert ended["status"] == "finished", f"{name}: {ended['exception']}"
        return time.perf_counter() - start

    def _names(self, steps):
        made = [step for step in steps if step["service"] != "transform/dataType"]
        return [next(step[key] for key in NAMES if key in step) for step in made]

    def _call(self, server, body):
        service = body.pop("service")
        if service in UPLOADED:
            content = (self.folder / body["datasetURI"]).read_bytes()
            types = {"Content-Type": "text/csv" if service == "dataset/csv" else "application/octet-stream"}
            query = {"datasetName": body["datasetName"]}
            answer = server.http.post(f"/api/learningOrchestra/v1/{service}", params=query, content=content, headers=types)
        elif service == "transform/dataType":
            answer = server.patch(f"/{service}", body)
        else:
            if body.get("function", "").endswith(".py"):
                body["function"] = (self.folder / body["function"]).read_text()
            answer = server.post(f"/{service}", body)
        assert answer.is_success, f"{service}: {answer.text}"
