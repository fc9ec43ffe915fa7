"""Steps of a real server over their life: failures, waiting, logs, progress, cancelling; and the async client."""

import asyncio
import concurrent.futures
import contextlib
import os
import pathlib
import subprocess
import threading

import httpx
import pytest

import learning_orchestra as lo

np = pytest.importorskip("numpy")
pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
pytestmark = pytest.mark.timeout(180)
HOME = pathlib.Path(__file__).resolve().parents[3]


class Counting(httpx.HTTPTransport):
    """Counts the requests it carries."""

    def __init__(self):
        super().__init__()
        self.paths = []

    def handle_request(self, request):
        self.paths.append(request.url.path.rpartition("/v1/")[2])
        return super().handle_request(request)


def gate(path):
    """Code that ends once somebody writes into the pipe."""
    return f"print('begun', flush=True)\nopen({str(path)!r}).read()\nprint('ended')\nresponse = 1"


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "gate"
    os.mkfifo(path)
    return path


# --- failures ---

def test_a_failure_shows_the_users_line(client, unique):
    def divide(values):
        total = sum(values)
        return total / 0

    step = client.function.python(unique(), divide, {"values": [1, 2]})
    with pytest.raises(lo.StepFailed) as caught:
        step.wait(60)
    assert caught.value.exception == "ZeroDivisionError: division by zero"
    assert "line 3, in divide" in caught.value.traceback and "return total / 0" in str(caught.value)
    with pytest.raises(lo.StepFailed):
        step.result()
    assert "ZeroDivisionError" in step._repr_html_()


def test_a_child_of_a_failed_step_says_whose_fault_it_was(client, unique):
    parent = client.function.python(unique(), "import time\ntime.sleep(0.3)\nraise ValueError('boom')")
    child = client.function.python(unique(), "response = x", {"x": parent})
    with pytest.raises(lo.StepFailed) as caught:
        child.wait(60)
    assert caught.value.reason == "upstream_failed"


def test_refusals_name_the_field(client, unique, iris):
    with pytest.raises(lo.NotAcceptable) as caught:
        client.model.scikitlearn(unique(), "sklearn.linear_model", "LogisticRegresion")
    assert caught.value.errors[0].pointer == "/class" and "LogisticRegression" in caught.value.detail
    with pytest.raises(lo.Conflict, match=iris.name):
        client.function.python(iris.name, "response = 1")
    with pytest.raises(lo.NotFound):
        client.step("nobody_at_all")


# --- waiting, logs, life ---

def test_waiting_is_one_request(server, unique, pipe):
    transport = Counting()
    with lo.Client(server.url, transport=transport, progress=False) as client:
        step = client.function.python(unique(), gate(pipe))
        assert next(step.logs(follow=True)) == "begun\n"
        transport.paths.clear()
        threading.Timer(1.5, lambda: pipe.write_text("go")).start()
        step.wait(60)
        assert transport.paths == [f"observe/{step.name}"]
        assert step.logs() == "begun\nended\n"


def test_a_wait_that_takes_too_long_leaves_the_step_running(client, unique, pipe):
    step = client.function.python(unique(), gate(pipe))
    with pytest.raises(lo.WaitTimeout):
        step.wait(0.2)
    assert next(step.logs(follow=True)) == "begun\n"
    assert step.status == "running"
    pipe.write_text("go")
    assert "".join(step.logs(follow=True)) == "begun\nended\n"
    assert step.wait(60).status == "finished"


def test_cancel_rerun_update_delete(client, unique, pipe):
    step = client.function.python(unique(), gate(pipe))
    assert next(step.logs(follow=True)) == "begun\n"
    with pytest.raises(lo.StepCancelled):
        step.cancel().wait(60)
    step.update(function="response = [x] * 2", functionParameters={"x": 4})
    assert step.result(60) == [4, 4]
    child = client.function.python(unique(), "response = len(x)", {"x": step})
    assert child.result(60) == 2
    assert step.rerun().wait(60).metadata["revision"] == 3 and not child.metadata["stale"]  # the same came out
    assert step.update(functionParameters={"x": 5}).wait(60).metadata["revision"] == 4 and child.metadata["stale"]
    with pytest.raises(lo.Conflict):
        step.delete()
    assert step.delete(cascade=True) >= 0
    with pytest.raises(lo.NotFound):
        client.step(child.name)


def test_progress_of_an_upload_is_seen(client, unique):
    seen = []
    frame = pd.DataFrame({"x": np.arange(3_000_000)})
    client.put(frame, unique()).wait(120, progress=seen.append)
    assert seen and all(0 <= each.data["rows"] <= 3_000_000 for each in seen)


def test_progress_of_a_search_is_seen(client, unique, iris):
    seen = []
    model = client.model.scikitlearn(unique(), "sklearn.tree", "DecisionTreeClassifier")
    search = client.tune.scikitlearn(unique(), module_path="orchestra.tuning", class_name="BayesianSearchCV", method="fit",
                                     class_parameters={"estimator": model, "space": {"max_depth": [1, 2, 3]}, "n_trials": 4, "seed": 1},
                                     parameters={"X": iris["x"], "y": iris["y"]})
    search.wait(120, progress=seen.append)
    assert [each.data["trial"] for each in seen if "trial" in each.data] == [1, 2, 3, 4]
    assert seen[-1].fraction == 1.0 and "trial 4/4" in str(seen[-1])


def test_a_wait_outlasts_kill_and_restart(tmp_path, start_server, unique):
    with start_server(tmp_path / "data") as server, lo.Client(server.url, progress=False) as client:
        step = client.function.python(unique(), "import time\ntime.sleep(0.5)\nresponse = 1")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(step.result, 60)
            again = [server.url.rpartition(":")[2] if each == "0" else each for each in server.process.args]
            server.kill()
            with server.log_path.open("ab") as log:
                server.process = subprocess.Popen(again, env=dict(os.environ, ORCHESTRA_HOME=str(HOME)), stdout=log, stderr=log)
            assert waiting.result(60) == 1
        assert step.metadata["attempts"] == 2


def test_events_are_streamed(client, unique):
    name = unique()
    stream = client.events(name=name)
    assert next(stream).kind == "hello"
    client.function.python(name, "response = 1")
    kinds = []
    for event in stream:
        kinds.append(event.kind)
        if event.kind == "finished":
            break
    assert kinds == ["accepted", "queued", "running", "finished"]
    assert client.ready()


def test_steps_are_told_how_and_when_to_run(client, unique):
    code = "import os\nresponse = {'pid': os.getpid()}"
    first, second = (client.function.python(unique(), code, isolation="shared", timeout=60.0).wait().result() for _ in range(2))
    assert first == second
    again = client.function.python(unique(), "response = {'made': 1}", cache="use").wait()
    assert client.function.python(unique(), "response = {'made': 1}", cache="use").wait().metadata["cache"]["name"] == again.name
    nightly = client.function.python(unique(), "response = 1", schedule={"cron": "0 2 * * *", "misfire": "skip"})
    assert nightly.status == "scheduled"
    nightly.cancel()


def test_labels_find_steps(client, unique):
    label = unique("label")
    made = [client.function.python(unique(), "response = 1", labels={"suite": label}) for _ in range(2)]
    found = client.steps(label=f"suite={label}").wait(60)
    assert [step.name for step in found] == [step.name for step in made]
    assert made[0].name in found._repr_html_()


# --- async ---

def test_the_async_client_does_the_same(server, unique, tmp_path):
    async def main():
        async with lo.AsyncClient(server.url, progress=False) as client:
            steps = await asyncio.gather(*(client.function.python(unique(), "response = x * 2", {"x": each}) for each in range(8)))
            assert await asyncio.gather(*(step.result(60) for step in steps)) == [each * 2 for each in range(8)]
            total = await client.function.python(unique(), "print('sum')\nresponse = sum(values)", {"values": [*steps]})
            assert await total.result(60) == 56
            assert await total.logs() == "sum\n" and [text async for text in total.logs(follow=True)] == ["sum\n"]
            frame = pd.DataFrame({"a": [1, 2, 3]})
            put = await client.put(frame, unique())
            assert (await put.to_pandas(60)).equals(frame)
            assert await put.status() == "finished" and len(await put.rows(limit=None)) == 3
            assert (await put.artifact(tmp_path, "csv")).read_text().split() == ['"a"', "1", "2", "3"]
            failing = await client.function.python(unique(), "raise KeyError('k')")
            with pytest.raises(lo.StepFailed, match="KeyError"):
                await failing.wait(60)
            assert (await client.step(put.name)).service == "dataset/csv"
            assert len(await client.function.python.list()) >= 9
            assert await put.delete() > 0
            async with contextlib.aclosing(client.events(name="nobody")) as events:
                assert (await anext(events)).kind == "hello"

    asyncio.run(main())


def test_async_uploads_come_from_files_and_waits_can_be_given_up(server, unique, tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a\n" + b"1\n" * 1_000_000)

    async def main():
        async with lo.AsyncClient(server.url, progress=False) as client:
            step = await client.dataset.csv(unique(), path)
            assert (await (await step.wait(60)).metadata())["rows"] == 1_000_000
            sleeper = await client.function.python(unique(), "import time\ntime.sleep(60)")
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(sleeper.wait(), 0.3)
            with pytest.raises(lo.StepCancelled):
                await (await sleeper.cancel()).wait(60)

    asyncio.run(main())
