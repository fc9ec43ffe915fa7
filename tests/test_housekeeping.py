"""What goes when it is no longer needed, what a full disk changes, and who used how much."""

import re
import subprocess
import time

import httpx
import pytest

from support import BINARY, PREFIX, Gate, Server, unique
from test_recovery import parts_of, referenced_files, stored_files

BIG = "import numpy\nresponse = numpy.full(50_000, x)"
RARELY = ("--housekeeping-minutes", "10080")  # but once at the start


def changed(server, name, *values):
    """A step with a large result of its own for each value."""
    for number, value in enumerate(values):
        body = {"function": BIG, "functionParameters": {"x": value}}
        answer = server.patch(f"/function/python/{name}", body) if number else server.post("/function/python", {"name": name, **body})
        assert answer.status_code == 201, answer.text
        server.finished(name)


def collect(server, dry_run=False):
    answer = server.http.post(f"{PREFIX}/gc", params={"dryRun": "true"} if dry_run else None)
    assert answer.status_code == 200, answer.text
    result = answer.json()["result"]
    assert result["dryRun"] == dry_run and result["bytes"] == result["objects"]["bytes"] + result["logs"]["bytes"]
    return result


def revisions(server, name):
    return [revision["revision"] for revision in server.step(name)["revisions"]]


def logs(server):
    return sorted(str(path.relative_to(server.data / "logs")) for path in (server.data / "logs").glob("*/*.log"))


def test_superseded_revisions_beyond_the_limit_go_and_nothing_else(tmp_path):
    with Server(tmp_path / "data", "--keep-revisions", "2", *RARELY) as server:
        changed(server, "step", 1, 2)
        server.function("child", "response = int(x.sum())", functionParameters={"x": "$step@2"})
        server.finished("child")
        changed(server, "other", 1)  # the same result as step@1: shared
        for value in (3, 4, 5):
            server.patch("/function/python/step", {"functionParameters": {"x": value}})
            server.finished("step")
        before = stored_files(server)
        told = collect(server, dry_run=True)
        assert told["revisions"] == ["step@1", "step@3"]
        assert stored_files(server) == before and revisions(server, "step") == [1, 2, 3, 4, 5]
        done = collect(server)
        assert done == told | {"dryRun": False}
        assert done["objects"]["count"] > 0 and done["objects"]["bytes"] > 400_000
        assert revisions(server, "step") == [2, 4, 5]
        assert stored_files(server) == referenced_files(server) < before
        assert server.get("/step/step/artifact", revision=1).status_code == 404
        assert server.get("/step/step/artifact", revision=2).status_code == 200
        refused = server.function("late", "response = 1", functionParameters={"x": "$step@1"})
        assert refused.status_code == 406 and "no revision 1" in refused.json()["detail"]
        assert collect(server)["revisions"] == []
        server.kill()
        server.start()
        assert revisions(server, "step") == [2, 4, 5]
        changed_after = server.patch("/function/python/step", {"functionParameters": {"x": 6}})
        assert changed_after.status_code == 201 and server.finished("step")["revision"] == 6
        assert server.value("len(x)", x="$other") == 50_000


def test_all_revisions_are_kept_where_nothing_is_said(tmp_path):
    with Server(tmp_path / "data") as server:
        changed(server, "step", 1, 2, 3)
        assert collect(server)["revisions"] == []
        server.stop()
        server.options = ("--keep-revisions-days", "0", *RARELY)
        server.start()
        deadline = time.monotonic() + 30
        while revisions(server, "step") != [3] and time.monotonic() < deadline:  # in the background
            server.http.get("/health")
        assert revisions(server, "step") == [3]


def test_a_killed_collection_is_done_again(tmp_path):
    with Server(tmp_path / "data", "--keep-revisions", "1", *RARELY, faults="catalog.delete.after=abort@1") as server:
        changed(server, "step", 1, 2, 3)
        with pytest.raises(httpx.TransportError):
            collect(server)
        server.wait_for_death()
        server.start()
        assert collect(server)["revisions"] == []
        assert revisions(server, "step") == [3]
        assert stored_files(server) == referenced_files(server)


def test_logs_go_with_their_steps_and_revisions(tmp_path):
    with Server(tmp_path / "data", "--keep-revisions", "1", *RARELY) as server:
        for name in ("kept", "deleted"):
            server.function(name, "print('hello')\nresponse = 1")
            server.finished(name)
        server.post("/step/kept/rerun", {})
        server.finished("kept")
        assert len(logs(server)) == 3
        server.delete("/function/python/deleted")
        assert collect(server, dry_run=True)["logs"]["count"] >= 1
        done = collect(server)
        assert done["logs"] == {"count": 2, "bytes": 12}
        assert [log.partition("/")[2] for log in logs(server)] == ["2-1.log"]
        assert server.get("/step/kept/log").text == "hello\n"


def test_logs_go_where_they_take_too_much_but_for_those_of_what_runs(tmp_path):
    gate = Gate(tmp_path)
    with Server(tmp_path / "data", "--keep-logs-bytes", "0", *RARELY) as server:
        server.function("ended", "print('hello')\nresponse = 1")
        server.finished("ended")
        server.function("running", gate.code + "response = 1")
        server.log_until("running", "at the gate")
        assert collect(server)["logs"] == {"count": 1, "bytes": 6}
        assert server.get("/step/ended/log").text == ""
        assert server.get("/step/running/log").text == "at the gate\n"
        gate.open()
        server.finished("running")
        assert collect(server)["logs"]["count"] == 1


def test_on_a_full_disk_nothing_new_is_taken_in_and_the_rest_goes_on(tmp_path):
    gate = Gate(tmp_path)
    key = {"Idempotency-Key": "key"}
    with Server(tmp_path / "data") as server:
        changed(server, "step", 1)
        server.upload("table", b"a\n1\n")
        server.finished("table")
        first = server.http.post(f"{PREFIX}/function/python", json={"name": "keyed", "function": "response = 1"}, headers=key)
        server.function("running", gate.code + "response = 1")
        server.log_until("running", "at the gate")
        server.running("running")
        server.kill()
        server.options = ("--disk-full-percent", "0.0001", *RARELY)
        server.start()
        refused = [server.function("new", "response = 1"), server.patch("/function/python/step", {"functionParameters": {"x": 2}}),
                   server.post("/step/step/rerun", {}), server.upload("other", b"a\n1\n"),
                   server.patch("/transform/dataType", {"inputDatasetName": "table", "types": {"a": "number"}})]
        for answer in refused:
            assert answer.status_code == 507, answer.text
            assert re.search(r"\d+ bytes are free", answer.json()["detail"])
        assert [step["name"] for step in server.get("/step").json()["result"]] == ["step", "table", "keyed", "running"]
        again = server.http.post(f"{PREFIX}/function/python", json={"name": "keyed", "function": "response = 1"}, headers=key)
        assert (again.status_code, again.content) == (201, first.content)
        gate.open()
        assert server.finished("running")["attempts"] == 2
        assert server.rows("table") == [{"_id": 1, "a": "1"}]
        assert server.get("/step/step/artifact").status_code == 200
        assert server.delete("/function/python/step").json()["bytesFreed"] > 400_000
        collect(server)


def bytes_of(server, *names):
    """What the steps' first results take, equal parts once."""
    return sum({part["digest"]: part["bytes"] for name in names for part in parts_of(server, name)}.values())


def used(server, **query):
    answer = server.get("/usage", **query)
    assert answer.status_code == 200, answer.text
    return answer.json()["label"], {row.pop("value"): row for row in answer.json()["result"]}


def test_usage_by_owner_and_by_any_label(tmp_path):
    burn = "import time\nend = time.process_time() + 0.2\nwhile time.process_time() < end: pass\n"
    with Server(tmp_path / "data") as server:
        for name, labels in (("a", {"owner": "ann", "team": "blue"}), ("b", {"owner": "ann"}), ("c", {"owner": "bob", "team": "blue"}), ("d", {})):
            server.post("/function/python", {"name": name, "function": burn + BIG, "functionParameters": {"x": ord(name)}, "labels": labels})
            server.finished(name)
        server.post("/step/a/rerun", {})
        steps = {name: server.finished(name) for name in "abcd"}
        label, by_owner = used(server)
        assert label == "owner" and by_owner.keys() == {None, "ann", "bob"}
        ann = by_owner["ann"]
        assert (ann["steps"], ann["revisions"], ann["attempts"]) == (2, 3, 3)
        assert ann["cpuSeconds"] >= 0.6 and by_owner["bob"]["cpuSeconds"] == pytest.approx(steps["c"]["cpuSeconds"])
        assert by_owner["bob"]["peakMemory"] == steps["c"]["peakMemory"] > 0
        assert ann["bytes"] == bytes_of(server, "a", "b") > 800_000  # the rerun came out the same
        label, by_team = used(server, label="team")
        assert label == "team" and {team: row["steps"] for team, row in by_team.items()} == {None: 2, "blue": 2}
        assert by_team["blue"]["bytes"] == bytes_of(server, "a", "c")
        assert used(server, label="none")[1][None]["steps"] == 4
        printed = command(server, "usage", "--label", "team")
        assert re.search(r"^blue +2 +3 +3 ", printed, re.MULTILINE), printed


def command(server, *arguments):
    done = subprocess.run([BINARY, *arguments, "--server", server.url], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_tells_what_would_go_and_then_has_it_go(tmp_path):
    with Server(tmp_path / "data", "--keep-revisions", "1", *RARELY) as server:
        name = unique("step")
        changed(server, name, 1, 2)
        told = command(server, "gc", "--dry-run")
        assert told.startswith(f"{name}@1\nwould remove 1 revisions") and revisions(server, name) == [1, 2]
        assert command(server, "gc") == told.replace("would remove", "removed")
        assert revisions(server, name) == [2]
