"""Waiting, errors and progress against recorded answers."""

import asyncio
import io

import httpx
import pytest

import learning_orchestra as lo
from learning_orchestra import _calls, _flows
from learning_orchestra.progress import Line, Progress

RUNNING = {"name": "n", "type": "function/python", "status": "running"}
FINISHED = {"name": "n", "type": "function/python", "status": "finished"}
FAILED = {"name": "n", "type": "function/python", "status": "failed", "reason": "error", "exception": "ValueError: boom"}
PROBLEM = {"result": "no", "type": "about:blank", "title": "Not Acceptable", "status": 406, "detail": "name is missing",
           "instance": "/x", "errors": [{"pointer": "/name", "detail": "name is missing"}]}


def state(metadata, *events, last=0):
    return 200, {"result": metadata, "events": list(events), "last": last}


def event(identity, progress):
    return {"id": identity, "event": "progress", "progress": progress}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    """The pauses that a client would have made."""
    pauses = []
    monkeypatch.setattr("time.sleep", pauses.append)
    return pauses


def step(server):
    return lo.Step(server.client(), "function/python", "n")


def test_one_request_waits_until_the_end(record):
    server = record(state(FINISHED))
    assert step(server).wait().name == "n"
    assert len(server.requests) == 1
    assert server.last[:3] == ("GET", "observe/n", {"wait": "50"})
    assert server.requests[0].extensions["timeout"]["read"] == 80


def test_a_longer_wait_asks_again(record, no_pauses):
    server = record(state(RUNNING), state(RUNNING), state(FINISHED))
    step(server).wait()
    assert len(server.requests) == 3 and no_pauses == []


def test_a_timeout_is_told_and_leaves_the_step_alone(record):
    server = record(state(RUNNING))
    with pytest.raises(lo.WaitTimeout, match="n is running after 0 s") as caught:
        step(server).wait(0)
    assert isinstance(caught.value, TimeoutError)
    assert server.last[2] == {"wait": "0"} and len(server.requests) == 1


def test_a_failed_step_raises_with_its_traceback(record):
    documents = [FAILED | {"_id": 0}, {"_id": 1, "exception": "old"}, {"_id": 2, "exception": "Traceback …\n  line 2\nValueError: boom\n"}]
    server = record(state(FAILED), (200, {"result": documents}))
    with pytest.raises(lo.StepFailed) as caught:
        step(server).wait()
    error = caught.value
    assert (error.name, error.reason, error.exception) == ("n", "error", "ValueError: boom")
    assert error.traceback.startswith("Traceback") and "line 2" in str(error) and str(error).startswith("n failed: ValueError: boom")


def test_a_cancelled_step_raises_its_own_error(record):
    server = record(state(FAILED | {"status": "cancelled", "exception": None, "reason": "killed"}), (200, {"result": []}))
    with pytest.raises(lo.StepCancelled, match=r"n was cancelled \(killed\)"):
        step(server).wait()


def test_types_that_could_not_be_changed_are_a_failure_of_that_call_only(record):
    dataset = {"name": "n", "type": "dataset/csv", "status": "finished", "lastError": "row 3, field 'a': 'x' is not a number"}
    with pytest.raises(lo.StepFailed, match="row 3"):
        lo.Step(record(state(dataset)).client(), "transform/dataType", "n").wait()
    lo.Step(record(state(dataset)).client(), "dataset/csv", "n").wait()


def test_a_wait_outlasts_a_restart_of_the_server(record, no_pauses):
    server = record(httpx.ConnectError("refused"), httpx.ReadError("cut"), state(FINISHED))
    step(server).wait()
    assert no_pauses == [0.1, 0.2]


def test_a_server_that_stays_away_is_given_up(record, monkeypatch):
    monkeypatch.setattr(_flows, "UNREACHABLE_FOR", -1.0)
    with pytest.raises(lo.ServerUnreachable, match="refused"):
        step(record(httpx.ConnectError("refused"))).wait()


def test_other_calls_tell_at_once_that_the_server_is_away(record):
    server = record(httpx.ConnectError("refused"))
    with pytest.raises(lo.ServerUnreachable, match="http://orchestra: refused"):
        server.client().ready()
    assert len(server.requests) == 1


@pytest.mark.parametrize(("status", "kind"), [(400, lo.BadRequest), (404, lo.NotFound), (406, lo.NotAcceptable), (409, lo.Conflict),
                                              (413, lo.TooLarge), (415, lo.UnsupportedMedia), (507, lo.OutOfSpace), (500, lo.ApiError)])
def test_problems_are_typed_and_keep_their_details(record, status, kind):
    with pytest.raises(kind) as caught:
        record((status, PROBLEM)).client().ready()
    error = caught.value
    assert type(error) is kind and isinstance(error, lo.OrchestraError)
    assert (error.status, error.title, error.detail, error.instance) == (status, "Not Acceptable", "name is missing", "/x")
    assert error.errors == (lo.FieldError("/name", "name is missing"),)


def test_an_error_that_is_no_problem_document_is_shown_too():
    transport = httpx.MockTransport(lambda request: httpx.Response(502, text="<html>bad gateway"))
    with pytest.raises(lo.ApiError, match="bad gateway"):
        lo.Client("http://orchestra", transport=transport).ready()


def test_a_busy_server_is_asked_again_when_it_says(record, no_pauses):
    server = record((503, PROBLEM, {"Retry-After": "2"}), (429, PROBLEM), (201, {"result": "/x"}))
    server.client().function.python("n", "response = 1")
    assert no_pauses == [2.0, 1.0]
    server = record((503, PROBLEM))
    with pytest.raises(lo.Unavailable):
        server.client().function.python("n", "response = 1")
    assert len(server.requests) == _calls.ATTEMPTS


def test_an_upload_that_can_be_read_once_is_sent_once(record):
    server = record((503, PROBLEM))
    with pytest.raises(lo.Unavailable):
        server.client().dataset.csv("n", io.BytesIO(b"a\n"))
    assert len(server.requests) == 1


def test_progress_is_shown_once_and_in_order(record):
    server = record(state(RUNNING, event(1, {"epoch": 1}), event(4, {"epoch": 2}), last=9), state(RUNNING, last=12),
                    state(FINISHED, event(11, {"epoch": 3}), last=12))
    seen = []
    step(server).wait(progress=seen.append)
    assert [each.data["epoch"] for each in seen] == [1, 2, 3]
    assert [request.url.params["after"] for request in server.requests] == ["0", "4", "4"]


@pytest.mark.parametrize(("data", "text", "fraction"), [
    ({"bytes": 1_500_000, "rows": 1200}, "1.5 MB · 1,200 rows", None),
    ({"bytes": 500, "total": 2000, "rows": 3}, "500 B of 2.0 kB · 3 rows", 0.25),
    ({"phase": "training", "epoch": 2, "epochs": 6, "loss": 0.123456, "accuracy": 0.5},
     "training · epoch 2/6 · loss 0.1235 · accuracy 0.5", 1 / 3),
    ({"phase": "tuning", "trial": 5, "trials": 20, "score": 0.9}, "tuning · trial 5/20 · score 0.9", 0.25),
    ({"phase": "fitting"}, "fitting", None),
])
def test_progress_as_text(data, text, fraction):
    progress = Progress("n", data)
    assert str(progress) == text and progress.fraction == fraction


def test_a_line_overwrites_itself():
    out = io.StringIO()
    line = Line(out)
    line(Progress("n", {"phase": "a long phase"}))
    line(Progress("n", {"phase": "b"}))
    line.close()
    assert out.getvalue() == "\rn: a long phase\rn: b           \n"


def test_the_async_client_waits_and_fails_alike(record, monkeypatch):
    documents = [{"_id": 1, "exception": "Traceback …"}]

    async def main():
        server = record(state(RUNNING), state(FAILED), (200, {"result": documents}))
        async with server.async_client() as client:
            with pytest.raises(lo.StepFailed, match="Traceback"):
                await lo.AsyncStep(client, "function/python", "n").wait()
        assert len(server.requests) == 3

    asyncio.run(main())
