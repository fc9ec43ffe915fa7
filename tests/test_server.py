"""The process: start, readiness, signals, who may talk to it, one server per folder."""

import json
import os
import socket
import subprocess

import httpx
import pytest

from support import BINARY, HOME, Server, unique


def serve(*options):
    return subprocess.run([BINARY, "serve", *options], capture_output=True, text=True, timeout=30,
                          env=dict(os.environ, ORCHESTRA_HOME=str(HOME)))


def test_is_ready_and_healthy(shared):
    assert shared.http.get("/health").json() == {"status": "ok"}
    ready = shared.http.get("/ready")
    assert ready.status_code == 200
    assert set(ready.json()["runners"]) >= {"bare", "scientific", "spark"}


def test_ends_within_ten_seconds_and_hands_a_running_step_back(tmp_path):
    with Server(tmp_path / "data") as server:
        name = unique()
        server.function(name, "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\nsignal.pause()")
        server.log_until(name, "up")
        server.process.terminate()
        assert server.process.wait(10) == 0
        assert server.leftovers() == []
        server.start()
        server.log_until(name, "up")
        step = server.step(name)
        assert (step["status"], step["attempts"]) == ("running", 2)
        server.http.post(f"/api/learningOrchestra/v1/step/{name}/cancel")


def test_refuses_a_second_server_on_the_same_data(shared):
    second = serve("--port", "0", "--data", str(shared.data))
    assert second.returncode == 3
    assert second.stderr.strip().endswith(shared.url)
    assert str(shared.process.pid) in second.stderr


def test_tools_may_call_the_modules_that_the_server_is_given(tmp_path):
    body = {"modulePath": "fractions", "class": "Fraction", "classParameters": {"numerator": 6, "denominator": 4}}
    with Server(tmp_path / "data", "--tool-module", "mylab.models", "--tool-module", "fractions") as server:
        server.made("/model/scikitlearn", body | {"modelName": "half"})
        assert server.value("str(x)", x="$half") == "3/2"
        refused = server.post("/model/scikitlearn", body | {"modelName": "other", "modulePath": "decimal"})
        assert refused.status_code == 406 and refused.json()["detail"].endswith("mylab.models, fractions"), refused.text


def test_a_tools_module_has_the_name_of_one(tmp_path):
    refused = serve("--tool-module", "my-lab", "--port", "0", "--data", str(tmp_path / "data"))
    assert refused.returncode != 0 and '"my-lab" is no name of a module' in refused.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_binds_to_loopback_only(tmp_path, host):
    refused = serve("--host", host, "--port", "0", "--data", str(tmp_path / "data"))
    assert refused.returncode != 0
    assert host in refused.stderr and "loopback" in refused.stderr


def test_refuses_a_newer_catalog(tmp_path):
    import sqlite3

    with Server(tmp_path / "data") as server:
        server.stop()
    with sqlite3.connect(tmp_path / "data" / "catalog.sqlite") as catalog:
        catalog.execute("PRAGMA user_version = 999")
    refused = serve("--port", "0", "--data", str(tmp_path / "data"))
    assert refused.returncode != 0 and "999" in refused.stderr


@pytest.mark.parametrize("headers, status", [
    ({"Host": "evil.example"}, 403),
    ({"Origin": "http://evil.example"}, 403),
    ({"Origin": "null"}, 403),
])
def test_refuses_foreign_hosts_and_origins(shared, headers, status):
    assert shared.http.get("/health", headers=headers).status_code == status


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_refuses_what_a_form_can_send(shared, content_type):
    body = json.dumps({"name": unique(), "function": "response = 1"})
    answer = shared.http.post("/api/learningOrchestra/v1/function/python", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == 415


def test_metrics_count_requests(shared):
    shared.http.get("/health")
    text = shared.http.get("/metrics").text
    assert 'orchestra_http_requests_total{' in text and 'route="/health"' in text


def test_etags_make_polling_cheap(shared):
    name = unique()
    shared.function(name, "response = 1")
    shared.ended(name)
    first = shared.get(f"/step/{name}")
    again = shared.http.get(f"/api/learningOrchestra/v1/step/{name}", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304 and again.content == b""


def test_answers_405_and_404_as_problems(shared):
    wrong_verb = shared.http.put("/api/learningOrchestra/v1/step/x", json={})
    assert wrong_verb.status_code == 405 and "GET" in wrong_verb.headers["allow"]
    nowhere = shared.http.get("/api/learningOrchestra/v1/nothing")
    assert nowhere.status_code == 404
    assert nowhere.headers["content-type"].startswith("application/problem+json")
    assert {"result", "type", "title", "status", "detail", "instance"} <= set(nowhere.json())


def test_prefer_wait_answers_after_the_end(shared):
    name = unique()
    answer = shared.post("/function/python", {"name": name, "function": "response = 1"}, Prefer="wait=30")
    assert answer.status_code == 201
    assert answer.headers["preference-applied"] == "wait=30"
    assert answer.json()["metadata"]["status"] == "finished"


def test_the_openapi_document_names_every_route(shared):
    document = shared.http.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path, verbs in document["paths"].items():
        for verb in verbs:
            target = path.replace("{name}", "no_such_name")
            if target.endswith("/observe/stream"):
                continue
            answer = shared.http.request(verb.upper(), target, json={} if verb in ("post", "patch") else None)
            assert answer.status_code not in (405, 500), f"{verb} {path}"


def test_an_endless_header_and_a_half_body_hold_nobody_up(shared):
    sockets = [socket.create_connection(("127.0.0.1", shared.http.base_url.port)) for _ in range(50)]
    for connection in sockets:
        connection.sendall(b"POST /api/learningOrchestra/v1/function/python HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\n{")
    assert httpx.get(shared.url + "/health").status_code == 200
    for connection in sockets:
        connection.close()
