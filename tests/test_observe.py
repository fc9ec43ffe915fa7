"""Subscriptions, long poll, and the stream of events."""

from support import PREFIX, events, unique


def test_a_subscription_is_listed_and_removed(shared):
    name = unique()
    shared.function(name, "response = 1")
    answer = shared.post("/observe", {"name": name})
    assert (answer.status_code, answer.json()["result"]) == (201, f"{PREFIX}/observe/{name}")
    assert name in [item["name"] for item in shared.get("/observe").json()["result"]]
    assert shared.delete(f"/observe/{name}").status_code == 200
    assert shared.delete(f"/observe/{name}").status_code == 404
    assert shared.post("/observe", {"name": "nobody_at_all"}).status_code == 406


def test_a_long_poll_answers_at_the_end(shared):
    name = unique()
    shared.function(name, "response = 1")
    body = shared.get(f"/observe/{name}", wait=30).json()
    assert body["result"]["status"] == "finished"
    assert shared.get("/observe/nobody_at_all", wait=1).status_code == 404


def test_the_stream_tells_each_change_once_and_resumes(shared):
    name = unique()
    with shared.http.stream("GET", f"{PREFIX}/observe/stream", params={"name": name}, timeout=60) as answer:
        stream = events(answer)
        assert next(stream)[1] == "hello"
        shared.function(name, "response = 1")
        seen = []
        for identity, event, data in stream:
            seen.append((identity, event))
            assert data["name"] == name
            if event == "finished":
                break
    assert [event for _, event in seen] == ["accepted", "queued", "running", "finished"]
    with shared.http.stream("GET", f"{PREFIX}/observe/stream", params={"name": name}, headers={"Last-Event-ID": seen[1][0]},
                            timeout=60) as answer:
        stream = events(answer)
        assert next(stream)[1] == "hello"
        assert [next(stream)[:2] for _ in range(2)] == seen[2:]


def test_an_unknown_last_event_id_is_answered_with_a_reset(shared):
    with shared.http.stream("GET", f"{PREFIX}/observe/stream", headers={"Last-Event-ID": "999999999"}, timeout=60) as answer:
        stream = events(answer)
        assert [next(stream)[1] for _ in range(2)] == ["hello", "reset"]


def test_lists_filter_and_page(shared):
    label = unique("label")
    made = [unique() for _ in range(3)]
    for name in made:
        shared.function(name, "response = 1", labels={"suite": label})
        shared.ended(name)
    first = shared.get("/step", label=f"suite={label}", limit=2)
    assert [step["name"] for step in first.json()["result"]] == made[:2]
    assert 'rel="next"' in first.headers["link"]
    rest = shared.get("/step", label=f"suite={label}", limit=2, skip=2)
    assert [step["name"] for step in rest.json()["result"]] == made[2:]
    assert shared.get("/step", label=f"suite={label}", status="failed").json()["result"] == []
    assert shared.get("/step", status="odd").status_code == 406
