"""Requests that are repeated, made on condition, or made to wait: Idempotency-Key, If-Match, If-None-Match and Prefer."""

import concurrent.futures
import sqlite3
import time

import httpx
import pytest

from support import PREFIX, Gate, Server, unique

CODE = {"function": "response = 1"}


def keyed(server, method, path, key, body=None, **more):
    headers = {"Idempotency-Key": key, **more.pop("headers", {})}
    return server.http.request(method, PREFIX + path, json=body, headers=headers, **more) if body is not None else \
        server.http.request(method, PREFIX + path, headers=headers, **more)


def replayed(answer):
    return answer.headers.get("idempotency-replayed") == "true"


def same(first, second):
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.headers.get("location") == second.headers.get("location")
    return not replayed(first) and replayed(second)


def revisions(server, name):
    return [revision["revision"] for revision in server.step(name)["revisions"]]


# --- Idempotency-Key ---


def test_a_repeated_post_gets_the_same_answer_and_makes_nothing(shared):
    name, key = unique("once"), unique("key")
    first = keyed(shared, "POST", "/function/python", key, {"name": name, **CODE})
    assert first.status_code == 201
    assert same(first, keyed(shared, "POST", "/function/python", key, {"name": name, **CODE}))
    assert shared.finished(name)["revision"] == 1
    shared.delete(f"/function/python/{name}")
    assert same(first, keyed(shared, "POST", "/function/python", key, {"name": name, **CODE}))  # even now
    assert shared.get(f"/step/{name}").status_code == 404


def test_a_repeated_change_and_a_repeated_rerun_make_one_revision(shared):
    name = unique("once")
    shared.made("/function/python", {"name": name, **CODE})
    for method, path, body in (("PATCH", f"/function/python/{name}", {"function": "response = 2"}),
                               ("POST", f"/step/{name}/rerun", {}), ("POST", f"/step/{name}/rerun?cascade=true", {})):
        key = unique("key")
        answers = [keyed(shared, method, path, key, body) for _ in range(2)]
        assert answers[0].status_code == 201 and same(*answers), answers
        shared.finished(name)
        assert same(answers[0], keyed(shared, method, path, key, body))
    assert revisions(shared, name) == [1, 2, 3, 4]


def test_a_repeated_workflow_gets_the_first_answer_also_after_a_kill(tmp_path):
    name, key = unique("flow"), unique("key")
    document = {"name": name, "steps": [{"service": "function/python", "name": f"{name}_a", **CODE}]}
    with Server(tmp_path / "data") as server:
        first = keyed(server, "POST", "/workflow", key, document)
        assert first.status_code == 201 and first.json()["steps"][0]["action"] == "created"
        assert same(first, keyed(server, "POST", "/workflow", key, document))
        server.finished(f"{name}_a")
        server.kill()
    with Server(tmp_path / "data") as server:
        assert same(first, keyed(server, "POST", "/workflow", key, document))
        again = server.http.post(PREFIX + "/workflow", json=document)
        assert again.status_code == 200 and again.json()["steps"][0]["action"] == "reused"
        assert revisions(server, f"{name}_a") == [1]


def test_a_repeated_typing_makes_one_revision(shared):
    name, key = unique("table"), unique("key")
    shared.upload(name, b"a\n1\n")
    shared.finished(name)
    body = {"inputDatasetName": name, "types": {"a": "number"}}
    answers = [keyed(shared, "PATCH", "/transform/dataType", key, body) for _ in range(2)]
    assert answers[0].status_code == 200 and same(*answers)
    shared.finished(name)
    assert revisions(shared, name) == [1, 2]


def test_the_same_key_with_another_request_is_refused_naming_it(shared):
    name, key = unique("once"), unique("key")
    assert keyed(shared, "POST", "/function/python", key, {"name": name, **CODE}).status_code == 201
    for method, path, body in (("POST", "/function/python", {"name": name + "2", **CODE}),
                               ("POST", "/function/python?cascade=true", {"name": name, **CODE}),
                               ("PATCH", f"/function/python/{name}", CODE), ("POST", f"/step/{name}/rerun", {}),
                               ("POST", "/dataset/csv", {"datasetName": name, "datasetURI": "http://127.0.0.1:1/x"}),
                               ("POST", "/observe", {"name": name})):
        answer = keyed(shared, method, path, key, body)
        assert answer.status_code == 422, (method, path, answer.text)
        assert key in answer.json()["detail"]
    assert shared.finished(name)["revision"] == 1


def test_a_refused_request_stores_nothing(shared):
    name, key = unique("once"), unique("key")
    refused = keyed(shared, "POST", "/function/python", key, {"name": name, "function": 3})
    assert refused.status_code == 406
    made = keyed(shared, "POST", "/function/python", key, {"name": name, **CODE})
    assert made.status_code == 201 and not replayed(made)
    taken = keyed(shared, "POST", "/function/python", unique("key"), {"name": name, **CODE})
    assert taken.status_code == 409 and "retry-after" not in taken.headers


@pytest.mark.parametrize("key", ["", "two words", "ümlaut".encode(), "x" * 256, "tab\tbed"])
def test_a_key_that_is_none_is_refused(shared, key):
    name = unique("once")
    answer = shared.http.post(f"{PREFIX}/function/python", json={"name": name, **CODE}, headers={"Idempotency-Key": key})
    assert answer.status_code == 400, answer.text
    assert shared.get(f"/step/{name}").status_code == 404


def test_the_longest_key_with_every_character(shared):
    key = "".join(chr(code) for code in range(0x21, 0x7F)).ljust(255, "~")
    body = {"name": unique("once"), **CODE}
    assert same(*[keyed(shared, "POST", "/function/python", key, body) for _ in range(2)])


def test_an_upload_is_stored_once(shared):
    name, key = unique("table"), unique("key")

    def upload(content, key=key, query=None):
        return keyed(shared, "POST", "/dataset/csv", key, content=content, params=query or {"datasetName": name},
                     headers={"Content-Type": "text/csv"})

    first = upload(b"a\n1\n")
    assert first.status_code == 201
    assert same(first, upload(b"a\n1\n"))
    for other in (upload(b"a\n2\n"), upload(b"a\n1\n", query={"datasetName": name, "delimiter": ","})):
        assert other.status_code == 422 and key in other.json()["detail"]
    assert shared.finished(name)["rows"] == 1
    change = [keyed(shared, "PATCH", f"/dataset/csv/{name}", key + "2", content=b"a\n1\n2\n", headers={"Content-Type": "text/csv"})
              for _ in range(2)]
    assert same(*change)
    shared.until(name, lambda step: step["rows"] == 2 and step["finished"])
    assert revisions(shared, name) == [1, 2]


def test_subscriptions_and_webhooks_are_made_once(shared):
    name = unique("observed")
    shared.function(name, "response = 1")
    key = unique("key")
    assert same(*[keyed(shared, "POST", "/observe", key, {"name": name}) for _ in range(2)])
    key = unique("key")
    answers = [keyed(shared, "POST", "/observe", key, {"name": name, "webhook": "http://127.0.0.1:1/x"}) for _ in range(2)]
    assert answers[0].status_code == 201 and same(*answers)  # the secret too
    made = [each for each in shared.get("/observe").json()["result"] if each.get("webhook") and each["filter"].get("name") == name]
    assert len(made) == 1


def test_one_of_twenty_repeats_at_once_makes_the_step_and_all_get_its_answer(shared):
    name, key = unique("once"), unique("key")

    def until_answered(_):
        seen = []
        while True:
            answer = httpx.post(f"{shared.url}{PREFIX}/function/python", json={"name": name, **CODE}, headers={"Idempotency-Key": key}, timeout=60)
            seen.append(answer)
            if answer.status_code != 409:
                return seen
            assert answer.headers["retry-after"] == "1" and key in answer.json()["detail"]

    with concurrent.futures.ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(until_answered, range(20)))
    last = [seen[-1] for seen in answers]
    assert {answer.status_code for answer in last} == {201}
    assert len({answer.content for answer in last}) == 1
    assert sum(not replayed(answer) for answer in last) == 1
    assert shared.finished(name)["revision"] == 1


def test_a_repeat_while_the_first_is_under_way_is_told_to_ask_again(fresh):
    def upload(content):
        return httpx.post(f"{fresh.url}{PREFIX}/dataset/csv", params={"datasetName": "table"}, content=content, timeout=60,
                          headers={"Content-Type": "text/csv", "Idempotency-Key": "key"})

    def slowly():
        yield b"a\n"
        while not any((fresh.data / "store" / "staging").glob("*/content")):  # the first is in hand
            fresh.http.get("/health")
        repeat = upload(b"a\n1\n")
        assert repeat.status_code == 409 and repeat.headers["retry-after"] == "1" and "key" in repeat.json()["detail"]
        other = keyed(fresh, "POST", "/function/python", "key", {"name": "other", **CODE})
        assert other.status_code == 422, other.text
        yield b"1\n"

    answer = upload(slowly())
    assert answer.status_code == 201, answer.text
    assert same(answer, upload(b"a\n1\n"))


@pytest.mark.parametrize("nth", range(3, 9))  # up to two are the start's own
def test_killed_between_the_commit_and_the_answer_a_repeat_gets_it(tmp_path, nth):
    """Whichever commit the server dies after: the repeat ends with one step, and one revision for each change."""
    with Server(tmp_path / "data", faults=f"catalog.commit.after=abort@{nth}") as server:
        died = 0

        def insist(call, *arguments):
            nonlocal died
            try:
                return call(*arguments)
            except httpx.TransportError:
                server.wait_for_death()
                server.start()
                died += 1
                return call(*arguments)

        made = insist(keyed, server, "POST", "/function/python", "make", {"name": "step", **CODE})
        assert made.status_code == 201, made.text
        insist(server.finished, "step")
        again = insist(keyed, server, "POST", "/step/step/rerun", "again", {})
        assert again.status_code == 201, again.text
        insist(server.finished, "step")
        assert insist(keyed, server, "POST", "/function/python", "make", {"name": "step", **CODE}).content == made.content
        if not died:
            server.kill()
            server.start()
        assert same_after_restart(server, made, again)
        assert revisions(server, "step") == [1, 2]


def same_after_restart(server, made, again):
    repeats = [keyed(server, "POST", "/function/python", "make", {"name": "step", **CODE}), keyed(server, "POST", "/step/step/rerun", "again", {})]
    return all(replayed(repeat) for repeat in repeats) and [repeat.content for repeat in repeats] == [made.content, again.content]


def test_answers_are_kept_as_long_as_is_said(tmp_path):
    with Server(tmp_path / "data", "--idempotency-hours", "0.0000001") as server:
        assert keyed(server, "POST", "/function/python", "key", {"name": "step", **CODE}).status_code == 201
        assert keyed(server, "POST", "/function/python", "key", {"name": "step", **CODE}).status_code == 409
        assert keyed(server, "POST", "/function/python", "key", {"name": "other", **CODE}).status_code == 201
        server.stop()
        server.start()
        deadline = time.monotonic() + 30
        while receipts(server) and time.monotonic() < deadline:
            server.http.get("/health")
        assert receipts(server) == []


def receipts(server):
    with sqlite3.connect(f"file:{server.data}/catalog.sqlite?mode=ro", uri=True) as catalog:
        return catalog.execute("SELECT key FROM receipt").fetchall()


# --- ETag, If-Match, If-None-Match ---


def tag(server, path):
    answer = server.http.get(PREFIX + path)
    assert answer.status_code == 200, answer.text
    return answer.headers["etag"]


def conditional(server, method, path, etag, body=None):
    return server.http.request(method, PREFIX + path, headers={"If-Match": etag}, **({} if body is None else {"json": body}))


def test_every_answer_that_can_be_asked_for_again_has_a_tag(fresh):
    name = "tagged"
    fresh.upload(name, b"a\n1\n")
    fresh.finished(name)
    fresh.post("/observe", {"name": name})
    hook = fresh.post("/observe", {"name": name, "webhook": "http://127.0.0.1:1/x"}).json()["result"].removeprefix(PREFIX)
    for path in (f"/dataset/csv/{name}", "/dataset/csv", f"/transform/dataType/{name}", "/transform/dataType", "/step", f"/step/{name}",
                 f"/step/{name}/lineage", f"/step/{name}/artifact", f"/step/{name}/log", f"/observe/{name}", "/observe", hook, "/openapi.json"):
        answer = fresh.http.get(path if path == "/openapi.json" else PREFIX + path)
        assert answer.status_code == 200, path
        again = fresh.http.get(answer.url, headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304 and again.content == b"", path
        assert again.headers["etag"] == answer.headers["etag"], path


@pytest.mark.parametrize("where", ["/step/{}", "/function/python/{}", "/function/python/{}?limit=1"])
def test_a_change_is_made_only_to_what_was_seen(shared, where):
    name = unique("matched")
    shared.made("/function/python", {"name": name, **CODE})
    old = tag(shared, where.format(name))
    assert conditional(shared, "PATCH", f"/function/python/{name}", old, {"function": "response = 2"}).status_code == 201
    shared.finished(name)
    for method, path, body in (("PATCH", f"/function/python/{name}", {"function": "response = 3"}), ("DELETE", f"/function/python/{name}", None),
                               ("POST", f"/step/{name}/rerun", {}), ("POST", f"/step/{name}/cancel", None)):
        for etag in (old, '"unknown"', "no tag", f'W/{tag(shared, where.format(name))}'):
            answer = conditional(shared, method, path, etag, body)
            assert answer.status_code == 412, (method, etag, answer.text)
            assert name in answer.json()["detail"]
    new = tag(shared, where.format(name))
    assert new != old
    assert conditional(shared, "POST", f"/step/{name}/rerun", f"{old}, {new}", {}).status_code == 201
    shared.finished(name)
    assert conditional(shared, "DELETE", f"/function/python/{name}", "*").status_code == 200
    assert conditional(shared, "DELETE", f"/function/python/{name}", "*").status_code == 404
    shared.made("/function/python", {"name": name, **CODE})  # another step of that name
    assert conditional(shared, "DELETE", f"/function/python/{name}", old).status_code == 412


def test_cancelling_on_condition(fresh, tmp_path):
    gate = Gate(tmp_path)
    fresh.function("step", gate.code + "response = 1")
    fresh.until("step", lambda step: step["status"] == "running")
    running = tag(fresh, "/step/step")
    gate.open()
    fresh.finished("step")
    assert conditional(fresh, "POST", "/step/step/cancel", running).status_code == 412
    fresh.function("other", Gate(tmp_path).code)
    fresh.until("other", lambda step: step["status"] == "running")
    assert conditional(fresh, "POST", "/step/other/cancel", tag(fresh, "/step/other")).status_code == 200


def test_typing_on_condition(shared):
    name = unique("table")
    shared.upload(name, b"a\n1\n")
    shared.finished(name)
    old = tag(shared, f"/dataset/csv/{name}")
    body = {"inputDatasetName": name, "types": {"a": "number"}}
    assert conditional(shared, "PATCH", "/transform/dataType", old, body).status_code == 200
    shared.until(name, lambda step: step["revision"] == 2 and step["finished"])
    assert conditional(shared, "PATCH", "/transform/dataType", old, body).status_code == 412


def test_one_of_many_changes_of_the_same_version_wins(shared):
    name = unique("matched")
    shared.made("/function/python", {"name": name, **CODE})
    seen = tag(shared, f"/step/{name}")

    def change(number):
        return httpx.patch(f"{shared.url}{PREFIX}/function/python/{name}", json={"function": f"response = {number}"},
                           headers={"If-Match": seen}, timeout=60).status_code

    with concurrent.futures.ThreadPoolExecutor(10) as threads:
        assert sorted(threads.map(change, range(10))) == [201] + [412] * 9
    assert revisions(shared, name) == [1, 2]


def test_a_repeat_of_a_change_that_was_made_on_condition_gets_its_answer(shared):
    name, key = unique("matched"), unique("key")
    shared.made("/function/python", {"name": name, **CODE})
    headers = {"If-Match": tag(shared, f"/step/{name}")}
    answers = [keyed(shared, "PATCH", f"/function/python/{name}", key, {"function": "response = 2"}, headers=headers) for _ in range(2)]
    assert answers[0].status_code == 201 and same(*answers)


# --- Prefer ---


def test_waiting_for_the_end_with_every_verb_that_makes_something(shared):
    name, table = unique("waited"), unique("table")
    calls = [("POST", "/function/python", {"name": name, **CODE}, 201), ("PATCH", f"/function/python/{name}", {"function": "response = 2"}, 201),
             ("POST", f"/step/{name}/rerun", {}, 201), ("POST", "/observe", {"name": name}, 201)]
    shared.upload(table, b"a\n1\n")
    calls.append(("PATCH", "/transform/dataType", {"inputDatasetName": table, "types": {"a": "number"}}, 200))
    for method, path, body, status in calls:
        answer = shared.http.request(method, PREFIX + path, json=body, headers={"Prefer": "wait=60"})
        assert answer.status_code == status, answer.text
        assert answer.headers["preference-applied"] == "wait=60"
        assert answer.json()["metadata"]["status"] == "finished", path
    assert shared.step(name)["revision"] == 3
    answer = shared.http.get(f"{PREFIX}/observe/{name}", headers={"Prefer": "wait=60"})
    assert answer.headers["preference-applied"] == "wait=60" and answer.json()["result"]["finished"]
    answer = shared.http.post(f"{PREFIX}/dataset/csv", params={"datasetName": unique("table")}, content=b"a\n1\n",
                              headers={"Content-Type": "text/csv", "Prefer": "wait=60"})
    assert answer.status_code == 201 and answer.json()["metadata"]["rows"] == 1


def test_what_has_not_ended_in_time_is_shown_as_it_is(fresh, tmp_path):
    gate = Gate(tmp_path)
    answer = fresh.post("/function/python", {"name": "step", "function": gate.code + "response = 1"}, Prefer="wait=0")
    assert answer.status_code == 201 and answer.headers["preference-applied"] == "wait=0"
    assert not answer.json()["metadata"]["finished"]
    gate.open()
    fresh.finished("step")


def test_a_repeat_may_wait_for_what_the_first_did_not(shared):
    name, key = unique("once"), unique("key")
    first = keyed(shared, "POST", "/function/python", key, {"name": name, **CODE})
    second = keyed(shared, "POST", "/function/python", key, {"name": name, **CODE}, headers={"Prefer": "wait=60"})
    assert replayed(second) and second.json()["result"] == first.json()["result"]
    assert second.json()["metadata"]["status"] == "finished"
