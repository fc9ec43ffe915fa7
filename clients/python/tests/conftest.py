"""The client under test, against recorded answers or against a built server."""

import importlib.util
import itertools
import json
import pathlib
import sys

import httpx
import pytest

HERE = pathlib.Path(__file__).resolve().parent
HOME = HERE.parents[2]
sys.path.insert(0, str(HERE.parent / "src"))

from learning_orchestra import AsyncClient, Client  # noqa: E402

_numbers = itertools.count(1)


def _support():
    """tests/support.py of the server: it starts one."""
    specification = importlib.util.spec_from_file_location("orchestra_support", HOME / "tests" / "support.py")
    module = importlib.util.module_from_spec(specification)
    sys.modules["orchestra_support"] = module
    specification.loader.exec_module(module)
    return module


def pytest_configure(config):
    config.addinivalue_line("markers", "spark: starts a Spark server")


@pytest.fixture(scope="session")
def start_server():
    """A server on a free port: `with start_server(folder) as server`."""
    return _support().Server


@pytest.fixture(scope="session")
def server(tmp_path_factory, start_server):
    with start_server(tmp_path_factory.mktemp("server") / "data") as server:
        yield server


@pytest.fixture
def client(server):
    with Client(server.url, progress=False) as client:
        yield client


@pytest.fixture
def unique():
    return lambda stem="step": f"{stem}_{next(_numbers)}"


@pytest.fixture
def iris(client, unique):
    def load():
        from sklearn.datasets import load_iris

        data = load_iris()
        return {"x": data.data, "y": data.target}

    return client.function.python(unique("iris"), load)


class Recorder:
    """Answers with what a test gives it, one after the other (the last one for ever), and keeps the requests."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        request.read()
        return self._answer(request)

    async def later(self, request):
        await request.aread()
        return self._answer(request)

    def _answer(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        status, body, *headers = answer
        return httpx.Response(status, json=body, headers=headers[0] if headers else None)

    def client(self, **options):
        return Client("http://orchestra", transport=httpx.MockTransport(self), progress=False, **options)

    def async_client(self, **options):
        return AsyncClient("http://orchestra", transport=httpx.MockTransport(self.later), progress=False, **options)

    @property
    def last(self):
        """(method, path below the prefix, query, body) of the newest request."""
        request = self.requests[-1]
        path = request.url.path.removeprefix("/api/learningOrchestra/v1/")
        try:
            body = json.loads(request.content) if request.content else None
        except ValueError:
            body = request.content
        return request.method, path, dict(request.url.params), body


@pytest.fixture
def record():
    return Recorder
