"""Many steps in the catalog and many observers, made as the benchmarks make theirs."""

import contextlib
import sys

import pytest

from support import HOME, Server

sys.path.append(str(HOME / "bench"))

import crowd  # noqa: E402
import observers  # noqa: E402

STEPS = 2_000


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    data = tmp_path_factory.mktemp("crowd") / "data"
    crowd.make(data, STEPS)
    with Server(data) as server:
        yield server


def names(server, path="/step", **query):
    answer = server.get(path, **query)
    assert answer.status_code == 200, answer.text
    return [step["name"] for step in answer.json()["result"]]


def test_pages_make_up_the_whole_list(many):
    listed = [name for skip in range(0, STEPS, 400) for name in names(many, limit=400, skip=skip)]
    assert len(set(listed)) == STEPS
    assert names(many, limit=3, skip=STEPS - 3) == listed[-3:]
    assert names(many, limit=3, skip=STEPS) == []


def test_pages_of_one_service_are_its_own(many):
    functions = [name for skip in (0, 300, 600, 900) for name in names(many, "/function/python", limit=300, skip=skip)]
    assert len(functions) == STEPS // 2
    assert all(name.endswith(("first", "second")) for name in functions)
    assert names(many, type="function/python", limit=5, skip=700) == functions[700:705]


def test_a_label_leads_to_its_steps(many):
    assert names(many, label="group=crowd_0000123_label") == ["crowd_0000123_columns", "crowd_0000123_first"]
    assert names(many, label="group=crowd_0000123_label", status="failed") == []
    assert len(names(many, label="team=blue", status="finished", limit=1000)) == STEPS // 2


def test_a_copied_step_is_one_like_any_other(many):
    assert many.step("crowd_0000200_second")["parents"][0]["name"] == "crowd_0000200_first"
    assert many.rows("crowd_0000321_columns")[0]["a"] == "1"
    assert many.value("x + 1", x="$crowd_0000400_second") == 2
    lineage = many.get("/step/crowd_0000200_second/lineage", direction="up").json()["result"]
    assert [node["name"] for node in lineage["nodes"]] == ["crowd_0000200_first", "crowd_0000200_second"]


def test_far_pages_follow_what_comes_and_goes(many):
    before = names(many, limit=1000, skip=1000)
    assert many.delete("/transform/projection/crowd_0000007_columns").status_code == 200
    many.function("crowd_last", "response = 1")
    assert names(many, limit=1000, skip=999)[:1000] == before
    assert names(many, limit=1000, skip=1998)[-1] == "crowd_last"
    many.finished("crowd_last")


def test_what_was_typed_in_place_is_listed(many):
    for name in ("crowd_0000030_data", "crowd_0000020_columns"):
        assert many.patch("/transform/dataType", {"inputDatasetName": name, "types": {"a": "number"}}).status_code == 200
        many.until(name, lambda step: step["revision"] == 2 and step["finished"])
    assert names(many, "/transform/dataType") == ["crowd_0000020_columns", "crowd_0000030_data"]
    assert names(many, "/transform/dataType", skip=1, limit=1) == ["crowd_0000030_data"]


def test_an_event_reaches_each_of_many_observers(many):
    with contextlib.closing(observers.Crowd(many)) as watching:
        watching.add(400)
        many.function("crowd_watched", "response = 1")
        watching.wait([f'event: {event}\ndata: {{"name":"crowd_watched"'.encode() for event in ("accepted", "finished")], 400)
