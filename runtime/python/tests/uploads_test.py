"""Pre-trained models from files and URLs, in real steps."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import ForkServer
from tool_steps import run

joblib = pytest.importorskip("joblib")
skops = pytest.importorskip("skops.io")
linear = pytest.importorskip("sklearn.linear_model")


class Custom:
    pass


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("uploads")
    fitted = linear.LinearRegression().fit([[0], [1]], [0, 2])
    joblib.dump(fitted, made / "m.joblib")
    skops.dump(fitted, made / "m.skops")
    joblib.dump({"a": 1}, made / "dict.joblib")
    (made / "broken.joblib").write_bytes(b"nothing")
    skops.dump(Custom(), made / "custom.skops")
    return made


@pytest.fixture
def url(folder: Path) -> Iterator[str]:
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("name", ["joblib", "skops"])
def test_an_uploaded_file_is_a_model(scientific: ForkServer, folder: Path, name: str) -> None:
    ended = run(scientific, "model/scikitlearn", {"format": name}, upload=str(folder / f"m.{name}"))
    assert ended.finished()["facts"] == {"typeName": "sklearn.linear_model._base.LinearRegression", "class": "LinearRegression"}


def test_a_model_comes_from_a_url_whose_ending_says_the_format(scientific: ForkServer, url: str) -> None:
    made = run(scientific, "model/scikitlearn", {"modelURI": f"{url}/m.joblib?x=1"})
    assert made.finished()["facts"]["class"] == "LinearRegression"
    assert run(scientific, "model/scikitlearn", {"modelURI": f"{url}/m.skops", "format": "skops"}).finished()


def test_a_url_without_a_file_is_named(scientific: ForkServer, url: str) -> None:
    failed = run(scientific, "model/scikitlearn", {"modelURI": f"{url}/absent.joblib"}).failed()
    assert failed["exception"].startswith(f"DownloadFailed: modelURI: {url}/absent.joblib could not be read: HTTP Error 404")


@pytest.mark.parametrize(("file", "named", "said"), [
    ("m.joblib", "pickle", "'pickle' is no format of a model here: there are keras, joblib, skops"),
    ("m.joblib", "skop", "'skop' is no format of a model here: did you mean 'skops'?"),
    ("dict.joblib", "joblib", "the joblib file holds a dict, which is nothing of scikitlearn"),
    ("broken.joblib", "joblib", "the file cannot be loaded as joblib: "),
    ("broken.joblib", "skops", "the file cannot be loaded as skops: "),
    ("custom.skops", "skops", "the skops file has types that do not belong to scikitlearn: uploads_test.Custom"),
])
def test_files_that_are_no_models(scientific: ForkServer, folder: Path, file: str, named: str, said: str) -> None:
    failed = run(scientific, "model/scikitlearn", {"format": named}, upload=str(folder / file)).failed()
    assert failed["exception"].startswith(f"BadRequest: format: {said}")
