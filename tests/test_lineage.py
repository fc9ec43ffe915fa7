"""What was made from what, and what that makes stale."""

import pytest

from support import unique


@pytest.fixture
def line(shared):
    """Names of a → b → c, and of d, which is made from b and from a."""
    names = {each: unique(each) for each in "abcd"}
    shared.function(names["a"], "response = 1")
    for child, parents in (("b", "a"), ("c", "b"), ("d", "ba")):
        shared.function(names[child], f"response = {'+'.join(parents)}", functionParameters={each: f"${names[each]}" for each in parents})
    for name in names.values():
        shared.finished(name)
    return names


def lineage(shared, name, **query):
    answer = shared.get(f"/step/{name}/lineage", **query)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def stale(shared, names):
    return {each: shared.step(name)["stale"] for each, name in names.items()}


def test_up_and_down(shared, line):
    whole = lineage(shared, line["b"])
    assert [node["name"] for node in whole["nodes"]] == [line[each] for each in "abcd"]
    assert {(edge["from"], edge["to"]) for edge in whole["edges"]} == {(line[x], line[y]) for x, y in ("ab", "bc", "bd", "ad")}
    assert whole["edges"][0] == {"from": line["a"], "to": line["b"], "revision": 1, "reference": line["a"]}
    assert whole["nodes"][0] == {"name": line["a"], "type": "function/python", "revision": 1, "status": "finished", "stale": False, "staleReason": None}
    assert [node["name"] for node in lineage(shared, line["c"], direction="up")["nodes"]] == [line[each] for each in "abc"]
    assert [node["name"] for node in lineage(shared, line["b"], direction="down")["nodes"]] == [line[each] for each in "bcd"]


def test_bad_ones(shared, line):
    assert shared.get("/step/absent/lineage").status_code == 404
    answer = shared.get(f"/step/{line['a']}/lineage", direction="sideways")
    assert answer.status_code == 406 and "sideways" in answer.json()["detail"]


def test_a_change_makes_everything_below_stale(shared, line):
    assert not any(stale(shared, line).values())
    shared.patch(f"/function/python/{line['a']}", {"function": "response = 2"})
    shared.finished(line["a"])
    assert stale(shared, line) == {"a": False, "b": True, "c": True, "d": True}
    nodes = {node["name"]: node["staleReason"] for node in lineage(shared, line["a"])["nodes"]}
    first = f"made from {line['a']}@1, the newest is 2"
    assert nodes == {line["a"]: None, line["b"]: first, line["c"]: f"made from {line['b']}, which is stale: {first}", line["d"]: first}
    shared.http.post(f"/api/learningOrchestra/v1/step/{line['b']}/rerun", params={"cascade": "true"})
    for each in "bcd":
        shared.finished(line[each])
    assert not any(stale(shared, line).values())


def test_a_change_that_comes_out_the_same_makes_nothing_stale(shared, line):
    shared.patch(f"/function/python/{line['a']}", {"function": "response = 3 - 2"})
    assert shared.finished(line["a"])["revision"] == 2
    assert not any(stale(shared, line).values())
