"""kill -9 at named places: nothing acknowledged is lost, no result is doubled, nothing half done is seen."""

import re

import httpx
import pytest

from support import HOME, PREFIX, Server

SOURCE = (HOME / "src/base/fault.cc").read_text()
NAMES = [name for name in re.findall(r'^ +"([a-z.]+)",', SOURCE, re.MULTILINE) if not name.startswith("catalog.copy.")]  # those: test_catalog_copy.py
BIG = "import numpy\nresponse = numpy.full(50_000, x)"  # two files, neither inline


def work(server):
    """A small workload; gives the names that were acknowledged, and whether the server died in the middle."""
    acknowledged = []
    died = False

    def tried(name, call):
        if call().status_code in (200, 201):
            acknowledged.append(name)

    try:
        tried("data", lambda: server.upload("data", b"a,b\n" + b"1,x\n" * 20_000))
        tried("first", lambda: server.function("first", BIG, functionParameters={"x": 1}))
        tried("second", lambda: server.function("second", "response = len(x)", functionParameters={"x": "$first"}))
        tried("columns", lambda: server.post("/transform/projection", {"inputDatasetName": "data", "outputDatasetName": "columns",
                                                                       "names": ["a"]}))
        tried("typed", lambda: server.patch("/transform/dataType", {"inputDatasetName": "columns", "types": {"a": "number"}}))
        tried("posted", lambda: server.post("/workflow", {"name": "flow", "steps": [
            {"service": "function/python", "name": "posted", "function": "response = len(x)", "functionParameters": {"x": "$first"}}]}))
        for name in ("first", "second", "columns"):
            server.http.get(f"{PREFIX}/observe/{name}", params={"wait": 20}, timeout=60)
        server.function("doomed", BIG, functionParameters={"x": 2})
        server.http.get(f"{PREFIX}/observe/doomed", params={"wait": 20}, timeout=60)
        server.delete("/function/python/doomed")
    except httpx.TransportError:
        server.wait_for_death()
        died = True
    return acknowledged, died


def check(server, acknowledged):
    for name in acknowledged:
        step = server.ended("columns" if name == "typed" else name)
        assert step["status"] == "finished", step
        ends = [revision["status"] for revision in step["revisions"]]
        assert ends.count("finished") == len(ends), ends
    if "typed" in acknowledged:
        server.until("columns", lambda step: step["revision"] == 2)
        assert server.rows("columns", limit=2)[0] == {"_id": 1, "a": 1}
    listed = [step["name"] for step in server.get("/step").json()["result"]]
    assert len(listed) == len(set(listed))


def stored_files(server):
    return {path.name for path in (server.data / "store/objects").glob("*/*")}


def referenced_files(server):
    import sqlite3

    with sqlite3.connect(f"file:{server.data}/catalog.sqlite?mode=ro", uri=True) as catalog:
        return {row[0] for row in catalog.execute("SELECT DISTINCT digest FROM artifact")}


def passes():
    """Each point once, and in the long run at later passes too. The first commit is made before the server takes requests."""
    for name in NAMES:
        first = 3 if name.startswith("catalog.commit") else 1
        yield pytest.param(name, first, True, id=f"{name}@{first}")
        for nth in range(first + 1, first + 10):
            yield pytest.param(name, nth, False, id=f"{name}@{nth}", marks=pytest.mark.long)


def test_every_fault_point_of_the_source_is_known():
    assert len(NAMES) >= 9


@pytest.mark.parametrize("name, nth, certain", list(passes()))
def test_a_death_at_a_fault_point(tmp_path, name, nth, certain):
    with Server(tmp_path / "data", faults=f"{name}=abort@{nth}") as server:
        acknowledged, died = work(server)
        assert died or not certain, f"the workload never passes {name}"
        if not died:
            server.kill()
        server.start()
        check(server, acknowledged)
        server.stop()
        server.start()
        server.stop()
        assert stored_files(server) == referenced_files(server)


def test_a_poisonous_step_ends_after_its_bound(tmp_path):
    """A step that takes its server with it runs again three times, then fails as lost."""
    code = "import os, signal\nprint('here', flush=True)\nos.kill(PARENT, signal.SIGKILL)\nsignal.pause()"
    with Server(tmp_path / "data") as server:
        server.function("poison", code.replace("PARENT", "int(open(path).read())"),
                        functionParameters={"path": str(server.data / "orchestra.lock")})
        for _ in range(4):
            server.wait_for_death()
            server.start()
        step = server.ended("poison")
        assert (step["status"], step["reason"], step["attempts"]) == ("failed", "lost", 4)


def test_after_a_power_cut_a_damaged_result_is_made_again_and_never_served(tmp_path):
    with Server(tmp_path / "data") as server:
        server.function("whole", BIG, functionParameters={"x": 1})
        server.function("damaged", BIG, functionParameters={"x": 2})
        server.function("sum", "response = {'sum': int(x.sum())}", functionParameters={"x": "$damaged"})
        server.ended("sum")
        before = stored_files(server)
        server.function("other", "response = 1")
        server.ended("other")
        parts = {part["name"]: part["digest"] for part in parts_of(server, "damaged")}
        server.kill()
        file = server.data / "store/objects" / parts["buffers.bin"][:2] / parts["buffers.bin"]
        file.chmod(0o600)
        with open(file, "r+b") as content:
            content.write(b"damage")
        (server.data / "running").write_text("another start of the machine")
        server.start()
        step = server.ended("damaged")
        assert (step["revision"], step["status"]) == (2, "finished")
        assert server.ended("whole")["revision"] == 1
        assert not server.step("sum")["stale"]  # it came out the same
        server.post("/step/sum/rerun", {})
        assert server.ended("sum")["status"] == "finished"
        assert stored_files(server) == before
        server.stop()
        assert not (server.data / "running").exists()


def parts_of(server, name):
    import json
    import sqlite3

    with sqlite3.connect(f"file:{server.data}/catalog.sqlite?mode=ro", uri=True) as catalog:
        row = catalog.execute("SELECT result FROM revision JOIN step ON step.id = revision.step WHERE name = ?", [name]).fetchone()
    return json.loads(row[0])["parts"]


@pytest.mark.long
def test_random_kills_under_load(tmp_path):
    import random

    seed = random.randrange(1 << 30)
    print("seed", seed)
    choose = random.Random(seed)
    with Server(tmp_path / "data") as server:
        made = []
        for round_number in range(20):
            for i in range(10):
                name = f"step_{round_number}_{i}"
                parent = choose.choice(made) if made and choose.random() < 0.5 else None
                parameters = {"x": f"${parent}"} if parent else {"x": 0}
                if server.function(name, "response = x + 1", functionParameters=parameters).status_code == 201:
                    made.append(name)
            server.until(choose.choice(made), lambda step: step["status"] != "accepted")
            server.kill()
            server.start()
        for name in made:
            step = server.ended(name, timeout=300)
            lost_with = [parent["name"] for parent in step["parents"] if server.step(parent["name"])["status"] == "failed"]
            assert step["status"] == "finished" or step["reason"] == "lost" or (step["reason"] == "upstream_failed" and lost_with), step
