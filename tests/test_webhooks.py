"""Webhooks: signed calls of a receiver, in order, at least once, whatever happens in between."""

import base64
import datetime
import hashlib
import hmac
import http.server
import json
import queue
import threading
import time

import pytest

from support import PREFIX, FileServer, Gate, Server, unique

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
LIFE = ["step.accepted", "step.queued", "step.running", "step.finished"]


class Call:
    """A call as the receiver got it."""

    def __init__(self, request: http.server.BaseHTTPRequestHandler):
        self.path = request.path
        self.headers = dict(request.headers)
        self.id = request.headers["webhook-id"]
        self.raw = request.rfile.read(int(request.headers["Content-Length"]))
        self.body = json.loads(self.raw)
        self.type = self.body["type"]

    def signature(self, secret: str) -> str:
        content = b".".join([self.id.encode(), self.headers["webhook-timestamp"].encode(), self.raw])
        key = base64.b64decode(secret.removeprefix("whsec_"))
        return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


class Receiver(FileServer):
    """Answers POSTs with what `answers` has next, then with 200, and keeps the calls. None as an answer: none is given."""

    def __init__(self, *answers: int | None):
        super().__init__(None)
        self.calls: queue.Queue[Call] = queue.Queue()
        self.answers = list(answers)
        self.default: int | None = 200
        self.ended = threading.Event()
        receiver = self

        def do_POST(request):
            call = Call(request)
            status = receiver.answers.pop(0) if receiver.answers else receiver.default
            receiver.calls.put(call)
            if status is None:
                receiver.ended.wait()
                request.close_connection = True
                return
            request.send_response(status)
            if status // 100 == 3:
                request.send_header("Location", receiver.url + "/elsewhere")
            request.send_header("Content-Length", "0")
            request.end_headers()

        self.server.RequestHandlerClass.do_POST = do_POST

    def take(self, count: int = 1) -> list[Call]:
        return [self.calls.get(timeout=60) for _ in range(count)]

    def __exit__(self, *error):
        self.ended.set()
        super().__exit__(*error)


def webhook(server: Server, **body: object) -> tuple[str, str]:
    """The path of a new webhook below the prefix, and its secret."""
    answer = server.post("/observe", body)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == answer.json()["result"]
    return answer.json()["result"].removeprefix(PREFIX), answer.json()["secret"]


def state(server: Server, path: str, wanted: str) -> dict:
    """The webhook once it is in that state."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = server.get(path).json()["result"]
        if found["state"] == wanted:
            return found
    raise AssertionError(found)


def run(server: Server, name: str, **more: object) -> None:
    server.function(name, "response = 1", **more)
    server.finished(name)


@pytest.fixture
def hasty(tmp_path):
    """A server that tries again at once, many times."""
    with Server(tmp_path / "data", "--webhook-retry", ",".join(["0.01"] * 1000)) as server:
        yield server


def test_the_events_of_a_step_arrive_signed_and_in_order(shared, tmp_path):
    name, gate = unique(), Gate(tmp_path)
    shared.function(name, gate.code + "response = 1")
    with Receiver() as receiver:
        path, secret = webhook(shared, webhook=receiver.url + "/hook?x=1", name=name)
        gate.open()
        shared.finished(name)
        calls = receiver.take()
        while calls[-1].type != "step.finished":
            calls += receiver.take()
        assert "step.accepted" not in [call.type for call in calls]
        run(shared, unique())
        assert shared.post(f"/step/{name}/rerun", {}).status_code == 201
        gate.open()
        calls += receiver.take(4)
        assert [call.type for call in calls[-4:]] == LIFE
        assert {call.body["data"]["name"] for call in calls} == {name}
        ids = [call.body["data"]["id"] for call in calls]
        assert ids == sorted(set(ids)) and len({call.id for call in calls}) == len(calls)
        for call in calls:
            assert call.path == "/hook?x=1" and call.headers["Content-Type"] == "application/json"
            assert call.headers["webhook-signature"] == call.signature(secret)
            assert call.type == "step." + call.body["data"]["event"]
            assert datetime.datetime.fromisoformat(call.body["timestamp"]).tzinfo is not None
        shared.delete(path)


def test_the_data_is_the_event_as_the_stream_has_it(shared):
    name = unique()
    with Receiver() as receiver:
        path, _ = webhook(shared, webhook=receiver.url, filter={"label": f"suite={name}"})
        run(shared, name, labels={"suite": name})
        calls = receiver.take(4)
        told = shared.get(f"/observe/{name}", after=0).json()["events"]
        assert [call.body["data"] for call in calls] == told
        shared.delete(path)


def test_a_filter_chooses_types_labels_and_events(shared):
    name = unique()
    with Receiver() as receiver:
        path, _ = webhook(shared, webhook=receiver.url,
                          filter={"type": "function/python", "label": f"suite={name}", "events": ["accepted", "finished"]})
        shown = shared.get(path).json()["result"]
        assert shown["filter"] == {"type": "function/python", "label": f"suite={name}", "events": ["accepted", "finished"]}
        run(shared, unique())
        run(shared, name, labels={"suite": name})
        assert [call.type for call in receiver.take(2)] == ["step.accepted", "step.finished"]
        shared.delete(path)


def test_a_call_that_failed_comes_again_with_the_same_id(hasty):
    with Receiver(500, 503) as receiver:
        path, secret = webhook(hasty, webhook=receiver.url, secret=SECRET)
        assert secret == SECRET
        run(hasty, "step")
        calls = receiver.take(6)
        assert [call.type for call in calls] == LIFE[:1] * 3 + LIFE[1:]
        assert calls[0].id == calls[1].id == calls[2].id and len({call.id for call in calls}) == 4
        assert all(call.headers["webhook-signature"] == call.signature(SECRET) for call in calls)
        assert "error" not in state(hasty, path, "active")


def test_no_redirect_is_followed(hasty):
    with Receiver(302, 307, 308) as receiver:
        webhook(hasty, webhook=receiver.url + "/hook", filter={"event": "finished"})
        run(hasty, "step")
        calls = receiver.take(4)
        assert {(call.path, call.id) for call in calls} == {("/hook", calls[0].id)}


def test_gone_disables(hasty):
    with Receiver(410) as receiver, Receiver() as other:
        path, _ = webhook(hasty, webhook=receiver.url)
        webhook(hasty, webhook=other.url)
        run(hasty, "step")
        shown = state(hasty, path, "disabled")
        assert "410" in shown["disabled"] and "nextTry" not in shown
        other.take(4)
        assert receiver.calls.qsize() == 1


def test_who_fails_for_too_long_is_disabled(tmp_path):
    with Server(tmp_path / "data", "--webhook-retry", "0.01,0.01") as server, Receiver(500, 302, 404) as receiver:
        path, _ = webhook(server, webhook=receiver.url)
        run(server, "step")
        shown = state(server, path, "disabled")
        assert shown["failures"] == 3 and "status 404" in shown["error"]
        assert len({call.id for call in receiver.take(3)}) == 1


def test_a_failing_one_says_so_and_tries_later(fresh):
    with Receiver(500) as receiver:
        path, _ = webhook(fresh, webhook=receiver.url)
        run(fresh, "step")
        shown = state(fresh, path, "failing")
        assert shown["failures"] == 1 and "status 500" in shown["error"] and shown["nextTry"] >= shown["created"]


def test_a_silent_receiver_holds_up_neither_others_nor_the_stop(hasty):
    with Receiver() as silent, Receiver() as receiver:
        silent.default = None
        webhook(hasty, webhook=silent.url)
        webhook(hasty, webhook=receiver.url)
        run(hasty, "step")
        assert [call.type for call in receiver.take(4)] == LIFE
        silent.take()
        assert hasty.stop() == 0


def test_a_kill_loses_nothing(hasty):
    """The receiver takes two, is silent at the third, and the server dies: the third comes again, by the same id, then the rest."""
    with Receiver(200, 200, None) as receiver:
        webhook(hasty, webhook=receiver.url, secret=SECRET)
        run(hasty, "step")
        before = receiver.take(3)
        hasty.kill()
        hasty.start()
        run(hasty, "another")
        after = receiver.take(1)
        while after[-1].body["data"] != {**after[-1].body["data"], "name": "another", "event": "finished"}:
            after += receiver.take(1)
        assert before[2].id in [call.id for call in after]
        first = {call.id: call for call in reversed(before + after)}
        in_order = sorted(first.values(), key=lambda call: call.body["data"]["id"])
        assert [(call.body["data"]["name"], call.type) for call in in_order] == [(name, one) for name in ("step", "another") for one in LIFE]
        ids = [call.body["data"]["id"] for call in after]
        assert ids == sorted(set(ids))
        assert all(call.headers["webhook-signature"] == call.signature(SECRET) for call in before + after)


def test_what_nobody_took_comes_after_a_kill(hasty):
    with Receiver() as receiver:
        receiver.default = 503
        webhook(hasty, webhook=receiver.url, filter={"events": ["accepted", "finished"]})
        run(hasty, "step")
        refused = receiver.take()[0]
        hasty.kill()
        receiver.default = 200
        receiver.calls = queue.Queue()
        hasty.start()
        taken = {call.id: call.type for call in receiver.take(2)}
        assert list(taken.items())[0] == (refused.id, "step.accepted") and list(taken.values()) == ["step.accepted", "step.finished"]


def test_the_secret_is_never_listed(shared):
    path, secret = webhook(shared, webhook="http://127.0.0.1:1/hook", filter={"label": unique()})
    assert len(base64.b64decode(secret.removeprefix("whsec_"))) == 32
    listed = shared.get("/observe")
    shown = next(item for item in listed.json()["result"] if item.get("url") == PREFIX + path)
    assert shown["state"] == "active" and shown["webhook"] == "http://127.0.0.1:1/hook"
    assert secret not in listed.text and secret not in shared.get(path).text and "whsec_" not in listed.text
    assert shared.delete(path).status_code == 200
    assert (shared.delete(path).status_code, shared.get(path).status_code) == (404, 404)
    assert PREFIX + path not in shared.get("/observe").text


@pytest.mark.parametrize(("body", "pointer", "told"), [
    ({"webhook": "http://169.254.169.254/latest"}, "/webhook", "169.254.169.254"),
    ({"webhook": "http://[::ffff:169.254.169.254]/"}, "/webhook", "169.254"),
    ({"webhook": "http://2852039166/"}, "/webhook", "2852039166"),
    ({"webhook": "http://100.100.100.200/"}, "/webhook", "100.100.100.200"),
    ({"webhook": "ftp://example.org/"}, "/webhook", "ftp://example.org/"),
    ({"webhook": "http://user:word@example.org/"}, "/webhook", "user name"),
    ({"webhook": 7}, "/webhook", "7"),
    ({"webhook": ""}, "/webhook", "webhook"),
    ({"webhook": "http://127.0.0.1:1/", "name": "nobody_at_all"}, "/name", "nobody_at_all"),
    ({"webhook": "http://127.0.0.1:1/", "filter": {"type": "function/pyton"}}, "/filter/type", "function/python"),
    ({"webhook": "http://127.0.0.1:1/", "filter": {"event": "finish"}}, "/filter/event", "finished"),
    ({"webhook": "http://127.0.0.1:1/", "filter": {"events": ["failed", 3]}}, "/filter/events/1", "3"),
    ({"webhook": "http://127.0.0.1:1/", "filter": {"events": []}}, "/filter/events", "[]"),
    ({"webhook": "http://127.0.0.1:1/", "filter": {"label": "=x"}}, "/filter/label", "=x"),
    ({"webhook": "http://127.0.0.1:1/", "filter": {"labels": "a=b"}}, "/filter/labels", "label"),
    ({"webhook": "http://127.0.0.1:1/", "filter": "all"}, "/filter", "all"),
    ({"webhook": "http://127.0.0.1:1/", "secret": "whsec_c2hvcnQ="}, "/secret", "24 to 64 bytes"),
    ({"webhook": "http://127.0.0.1:1/", "retry": {"maxAttempts": 2}}, "/retry", "retry"),
    ({"webhook": "http://127.0.0.1:1/", "secrets": "x"}, "/secrets", "secret"),
    ({"name": "nobody_at_all", "secret": SECRET}, "/secret", "webhook"),
])
def test_bad_input_is_refused_by_name(shared, body, pointer, told):
    answer = shared.post("/observe", body)
    assert answer.status_code == 406, answer.text
    error = next(error for error in answer.json()["errors"] if error["pointer"] == pointer)
    assert told in error["detail"]


def test_either_a_name_or_a_filter(shared):
    name = unique()
    run(shared, name)
    answer = shared.post("/observe", {"webhook": "http://127.0.0.1:1/", "name": name, "filter": {"event": "failed"}})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (406, "/filter")


def test_who_is_not_there_is_an_error(tmp_path):
    with Server(tmp_path / "data", "--webhook-retry", "0.01") as server:
        path, _ = webhook(server, webhook="http://localhost:1/")
        run(server, "step")
        assert "http://localhost:1/ cannot be reached" in state(server, path, "disabled")["error"]
