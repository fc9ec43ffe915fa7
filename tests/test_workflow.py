"""/workflow: many steps as one document that behaves like a Makefile."""

import json
import os
import statistics
import subprocess
import threading
import time

import httpx
import pytest
import yaml

from support import BINARY, HOME, PREFIX, Server, unique

CSV = b"a,b\n1,x\n2,y\n3,x\n"


def chain(name, **changes):
    """a → b → c, and d beside them; `changes` replaces codes by letter, None leaves the step out."""
    codes = {"a": "response = 1", "b": "response = a + 1", "c": "response = b + 1", "d": "response = 10"} | changes
    parents = {"b": {"a": f"${name}_a"}, "c": {"b": f"${name}_b"}}
    steps = [{"service": "function/python", "name": f"{name}_{each}", "function": code, "functionParameters": parents.get(each, {})}
             for each, code in codes.items() if code is not None]
    return {"name": name, "steps": steps[::-1]}  # the order of the steps does not count


def post(server, document, wait=60, **query):
    headers = {"Prefer": f"wait={wait}"} if wait else {}
    if isinstance(document, str):
        return server.http.post(PREFIX + "/workflow", content=document, headers={"Content-Type": "application/yaml", **headers}, params=query, timeout=120)
    return server.http.post(PREFIX + "/workflow", json=document, headers=headers, params=query, timeout=120)


def posted(server, document, status=201, wait=60, **query):
    answer = post(server, document, wait=wait, **query)
    assert answer.status_code == status, answer.text
    return answer.json()


def actions(answer):
    return {step["name"].rpartition("_")[2]: step["action"] for step in answer["steps"]}


def view(server, name):
    answer = server.get(f"/workflow/{name}")
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def exported(server, name, **query):
    answer = server.get(f"/workflow/{name}/export", **query)
    assert answer.status_code == 200, answer.text
    return answer.text


def test_creates_its_steps_and_runs_nothing_the_second_time(shared):
    name = unique("flow")
    answer = post(shared, chain(name))
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{PREFIX}/workflow/{name}" == answer.json()["result"]
    assert [step["name"][-1] for step in answer.json()["steps"] if step["name"][-1] != "d"] == ["a", "b", "c"]
    assert set(actions(answer.json()).values()) == {"created"}
    assert {each["status"] for each in answer.json()["metadata"]} == {"finished"}
    again = posted(shared, chain(name), status=200)
    assert {(step["action"], step["reason"], step["finished"]) for step in again["steps"]} == {("reused", "equal", True)}
    assert shared.step(f"{name}_c")["revision"] == 1
    shown = view(shared, name)
    assert (shown["finished"], shown["stale"], shown["counts"], shown["removed"]) == (True, False, {"finished": 4}, [])
    assert shown["timeCreated"] == shown["timeChanged"]


def test_a_changed_step_runs_with_its_descendants_only(shared):
    name = unique("flow")
    posted(shared, chain(name))
    answer = posted(shared, chain(name, b="response = a + 5"))
    assert actions(answer) == {"a": "reused", "b": "changed", "c": "run again", "d": "reused"}
    assert {step["name"][-1]: step["reason"] for step in answer["steps"]}["b"] == "changed: function"
    assert {each: shared.step(f"{name}_{each}")["revision"] for each in "abcd"} == {"a": 1, "b": 2, "c": 2, "d": 1}
    assert shared.value("c", c=f"${name}_c") == 7
    posted(shared, chain(name, b="response = a + 5"), status=200)


def test_descendants_of_a_step_that_came_out_the_same_do_not_run(shared):
    name = unique("flow")
    posted(shared, chain(name))
    posted(shared, chain(name, a="response = 3 - 2"))
    assert "cache" not in shared.step(f"{name}_a")
    for each in "bc":  # they have their own results of before
        assert shared.step(f"{name}_{each}")["cache"] == {"name": f"{name}_{each}", "revision": 1}
    assert view(shared, name)["counts"] == {"finished": 4} and not view(shared, name)["stale"]
    posted(shared, chain(name, a="response = 3 - 2"), status=200)


def test_steps_keep_their_schedules_and_the_clock_is_no_step(shared):
    name = unique("flow")
    step = {"service": "function/python", "name": f"{name}_a", "function": "response = day", "functionParameters": {"day": "$clock.date"},
            "schedule": {"at": "2100-01-01T00:00:00Z"}, "autoUpdate": False, "cache": "use"}
    posted(shared, {"name": name, "steps": [step]}, wait=0)
    assert view(shared, name)["counts"] == {"scheduled": 1}
    text = exported(shared, name)
    assert yaml.safe_load(text)["steps"][0]["schedule"] == step["schedule"]
    again = posted(shared, text, wait=0)  # without what goes without saying
    assert [(each["action"], each["finished"]) for each in again["steps"]] == [("reused", False)]
    moved = posted(shared, {"name": name, "steps": [step | {"schedule": {"at": "2000-01-01T00:00:00Z"}}]})
    assert actions(moved) == {"a": "changed"} and view(shared, name)["counts"] == {"finished": 1}


def test_what_became_stale_elsewhere_runs_again(shared):
    name = unique("flow")
    posted(shared, chain(name))
    shared.patch(f"/function/python/{name}_a", {"function": "response = 2"})
    shared.finished(f"{name}_a")
    assert view(shared, name)["stale"]
    answer = posted(shared, exported(shared, name))
    assert actions(answer) == {"a": "reused", "b": "run again", "c": "run again", "d": "reused"}
    assert not view(shared, name)["stale"]


def test_a_step_that_fails_while_the_rest_is_posted_leaves_nothing_out(shared):
    name = unique("flow")
    steps = [{"service": "function/python", "name": f"{name}_0", "function": "raise ValueError('at once')", "isolation": "shared"}]
    steps += [{"service": "function/python", "name": f"{name}_{i}", "function": "response = 1", "functionParameters": {"x": f"${name}_{i - 1}"}}
              for i in range(1, 30)]
    posted(shared, {"name": name, "steps": steps})
    assert [shared.ended(f"{name}_{i}")["reason"] for i in range(30)] == ["error"] + ["upstream_failed"] * 29


def test_a_step_that_failed_runs_again_with_what_waited_for_it(shared, tmp_path):
    name = unique("flow")
    flag = tmp_path / "flag"
    document = chain(name, a=f"import os\nif not os.path.exists({str(flag)!r}): raise ValueError('not yet')\nresponse = 1\n")
    posted(shared, document)
    assert view(shared, name)["counts"] == {"failed": 3, "finished": 1}
    flag.touch()
    answer = posted(shared, document)
    assert actions(answer) == {"a": "run again", "b": "run again", "c": "run again", "d": "reused"}
    assert view(shared, name)["counts"] == {"finished": 4}


def test_a_removed_step_is_kept_and_told_until_it_is_pruned(shared):
    name = unique("flow")
    posted(shared, chain(name))
    for status in (201, 200):
        answer = posted(shared, chain(name, b=None, c=None), status=status)
        assert [(step["name"], step["reason"]) for step in answer["removed"]] == [
            (f"{name}_c", "no longer in the workflow"), (f"{name}_b", "no longer in the workflow")]
    assert set(view(shared, name)["removed"]) == {f"{name}_b", f"{name}_c"}
    shared.function(f"{name}_other", "response = b", functionParameters={"b": f"${name}_b"})
    shared.finished(f"{name}_other")
    pruned = posted(shared, chain(name, b=None, c=None), prune="true")
    assert pruned["pruned"] == [f"{name}_c"]
    assert pruned["removed"] == [{"name": f"{name}_b", "reason": f"used by '{name}_other'"}]
    assert shared.get(f"/step/{name}_c").status_code == 404
    assert view(shared, name)["removed"] == [f"{name}_b"]


def test_prune_cancels_what_runs_and_keeps_what_another_workflow_has(shared):
    name, other = unique("flow"), unique("flow")
    document = chain(name, c="import time\ntime.sleep(600)")
    posted(shared, document, wait=0)
    posted(shared, {"name": other, "steps": [step for step in document["steps"] if step["name"][-1] == "d"]})
    pruned = posted(shared, chain(name, c=None, d=None), prune="true")
    assert pruned["pruned"] == [f"{name}_c"]
    assert pruned["removed"] == [{"name": f"{name}_d", "reason": f"the workflow '{other}' has it too"}]


def problems(answer):
    return {error["pointer"]: error["detail"] for error in answer.json()["errors"]}


def test_everything_wrong_is_told_at_once_with_its_place(shared):
    name = unique("flow")
    text = f"""name: {name}
stepps: 1
steps:
  - service: function/pyton
    name: x
  - service: function/python
    name: {name}_x
    functon: response = 1
  - service: transform/projection
    outputDatasetName: {name}_y
    names: [a]
"""
    answer = post(shared, text)
    assert answer.status_code == 406
    found = problems(answer)
    assert found["/stepps"] == "line 2: a workflow has no member 'stepps'; did you mean 'steps'?"
    assert found["/steps/0/service"] == "line 4: there is no service 'function/pyton'; did you mean 'function/python'?"
    assert found["/steps/1/functon"] == "line 8: function/python has no member 'functon'; did you mean 'function'?"
    assert found["/steps/2"] == "line 9: transform/projection needs the member 'inputDatasetName'"
    answer = post(shared, {"name": name, "steps": [{"service": "function/python", "name": f"{name}_x", "functon": ""}]})
    assert answer.status_code == 406 and problems(answer)["/steps/0/functon"].startswith("function/python has no member")
    assert post(shared, "a: [1").status_code == 400
    assert post(shared, {"name": name, "schedule": {}, "steps": chain(name)["steps"]}).status_code == 406
    assert shared.get(f"/workflow/{name}").status_code == 404


def test_no_step_is_made_while_another_is_wrong(shared):
    name = unique("flow")
    good = chain(name)
    bad = [{"service": "train/scikitlearn", "name": f"{name}_t", "parentName": f"{name}_a", "method": "fit", "timeout": -1},
           {"service": "model/scikitlearn", "modelName": f"{name}_m", "modulePath": "sklearn.svm", "class": "NoSuchClass"},
           {"service": "function/python", "name": f"{name}_e", "function": "response = 1", "resources": {"gpu": 64}},
           {"service": "dataset/csv", "datasetName": f"{name}_u", "upload": {"digest": "0" * 32, "bytes": 1}}]
    answer = post(shared, good | {"steps": good["steps"] + bad})
    assert answer.status_code == 406, answer.text
    found = problems(answer)
    assert "timeout" in found["/steps/4/timeout"]
    assert "NoSuchClass" in found["/steps/5/class"]
    assert "gpu" in found["/steps/6/resources/gpu"]
    assert found["/steps/7/upload"] == f"the file of '{name}_u' (digest {'0' * 32}) is not on this server: send it to dataset/csv first"
    assert shared.get(f"/step/{name}_a").status_code == 404
    assert shared.get(f"/workflow/{name}").status_code == 404


def test_references_cycles_and_taken_names_are_refused(shared):
    name = unique("flow")

    def function(each, **parameters):
        return {"service": "function/python", "name": f"{name}_{each}", "function": "response = 1", "functionParameters": parameters}

    unknown = post(shared, {"name": name, "steps": [function("a", x=f"${name}_nothing")]})
    assert unknown.status_code == 406 and problems(unknown)["/steps/0"].startswith(f"neither the file nor the server has '{name}_nothing'")
    circle = post(shared, {"name": name, "steps": [function("a", x=f"${name}_b"), function("b", x=f"${name}_a")]})
    assert circle.status_code == 406 and "wait for each other" in circle.json()["detail"]
    shared.upload(f"{name}_a", CSV)
    taken = post(shared, {"name": name, "steps": [function("a")]})
    assert taken.status_code == 409 and "is taken by a dataset/csv" in taken.json()["detail"]


def data_flow(name):
    return {"name": name, "description": "tables", "steps": [
        {"service": "function/python", "name": f"{name}_f", "function": "total = t['a'].sum()\nresponse = total", "functionParameters": {"t": f"${name}_p"}},
        {"service": "transform/dataType", "inputDatasetName": f"{name}_d", "types": {"a": "number"}},
        {"service": "transform/projection", "inputDatasetName": f"{name}_d", "outputDatasetName": f"{name}_p", "names": ["a"]},
        {"service": "model/scikitlearn", "modelName": f"{name}_m", "modulePath": "sklearn.linear_model", "class": "LogisticRegression"},
        {"service": "train/scikitlearn", "name": f"{name}_t", "parentName": f"{name}_m", "method": "fit",
         "methodParameters": {"X": [[0], [1]], "y": [0, 1]}, "labels": {"team": "blue"}}]}


@pytest.fixture
def tables(shared):
    name = unique("flow")
    shared.upload(f"{name}_d", CSV)
    shared.finished(f"{name}_d")
    digest = shared.step(f"{name}_d")["request"]["upload"]
    document = data_flow(name)
    document["steps"].append({"service": "dataset/csv", "datasetName": f"{name}_d", "upload": digest})
    posted(shared, document)
    assert view(shared, name)["counts"] == {"finished": 5}
    return name


def test_an_export_recreates_what_there_is(shared, tables):
    first = exported(shared, tables)
    assert first == exported(shared, tables)
    assert json.loads(exported(shared, tables, format="json")) == yaml.safe_load(first)
    names = [step.get("name") or step.get("datasetName") or step.get("outputDatasetName") or step.get("modelName") or step["inputDatasetName"]
             for step in yaml.safe_load(first)["steps"]]
    assert names.index(f"{tables}_d") < names.index(f"{tables}_p") < names.index(f"{tables}_f")
    assert "    function: |-\n      total = t['a'].sum()\n      response = total\n" in first
    assert "    types:\n      a: number\n" in first and "    labels:\n      team: blue\n" in first
    again = posted(shared, first)  # the order of the document has changed, no step
    assert set(actions(again).values()) == {"reused"}
    assert set(actions(posted(shared, first, status=200)).values()) == {"reused"}
    assert exported(shared, tables) == first


def test_an_export_has_what_was_changed_since(shared, tables):
    shared.patch(f"/function/python/{tables}_f", {"function": "response = len(t)\n", "timeout": 60})
    shared.patch("/transform/dataType", {"inputDatasetName": f"{tables}_p", "types": {"a": "string"}})
    shared.finished(f"{tables}_f")
    shared.finished(f"{tables}_p")
    text = exported(shared, tables)
    steps = yaml.safe_load(text)["steps"]
    changed = next(step for step in steps if step.get("name") == f"{tables}_f")
    assert (changed["function"], changed["timeout"]) == ("response = len(t)\n", 60)
    assert {"service": "transform/dataType", "inputDatasetName": f"{tables}_p", "types": {"a": "string"}} in steps
    assert actions(posted(shared, text))["p"] == "reused"


def test_an_export_makes_the_same_on_another_server(shared, tables, fresh):
    document = yaml.safe_load(exported(shared, tables))
    upload = next(step for step in document["steps"] if "upload" in step)
    refused = post(fresh, document)
    assert refused.status_code == 406 and upload["upload"]["digest"] in refused.json()["detail"]
    fresh.upload(f"{tables}_d", CSV)
    answer = posted(fresh, document)
    assert [step["action"] for step in answer["steps"] if step["service"] == "dataset/csv"] == ["reused"]
    assert {step["action"] for step in answer["steps"] if step["service"] != "dataset/csv"} == {"created"}
    assert view(fresh, tables)["counts"] == {"finished": 5}
    assert yaml.safe_load(exported(fresh, tables)) == document


def test_lists_shows_and_deletes(fresh):
    for name in ("one", "two", "three"):
        posted(fresh, chain(name))
    listed = fresh.get("/workflow", limit=2)
    assert [each["name"] for each in listed.json()["result"]] == ["one", "two"]
    following = fresh.http.get(listed.links["next"]["url"])
    assert [each["name"] for each in following.json()["result"]] == ["three"] and "next" not in following.links
    tag = fresh.get("/workflow/one").headers["etag"]
    assert fresh.http.get(PREFIX + "/workflow/one", headers={"If-None-Match": tag}).status_code == 304
    assert fresh.delete("/workflow/one").json() == {"result": "deleted workflow", "deleted": [], "kept": []}
    assert fresh.get("/workflow/one").status_code == fresh.delete("/workflow/one").status_code == 404
    assert fresh.step("one_a")["status"] == "finished"
    fresh.function("user", "response = a", functionParameters={"a": "$two_a"})
    fresh.finished("user")
    gone = fresh.delete("/workflow/two", cascade="true").json()
    assert set(gone["deleted"]) == {"two_b", "two_c", "two_d"}
    assert gone["kept"] == [{"name": "two_a", "reason": "used by 'user'"}]
    assert fresh.get("/workflow/absent/export").status_code == 404
    assert fresh.get("/workflow/three/export", format="xml").status_code == 406


@pytest.mark.parametrize("step", [1, 3])
def test_a_post_that_is_cut_off_goes_on_when_it_is_repeated(tmp_path, step):
    with Server(tmp_path / "data", faults=f"workflow.step=abort@{step}") as server:
        with pytest.raises(httpx.TransportError):
            post(server, chain("flow"))
        server.wait_for_death()
        server.start()
        shown = view(server, "flow")
        assert [each["status"] for each in shown["steps"]].count("missing") == 4 - (step - 1)
        answer = posted(server, chain("flow"))
        assert sorted(actions(answer).values()) == ["created"] * (5 - step) + ["reused"] * (step - 1)
        assert view(server, "flow")["counts"] == {"finished": 4}
        assert {server.step(f"flow_{each}")["revision"] for each in "abcd"} == {1}


def test_a_workflow_outlives_the_server(tmp_path):
    with Server(tmp_path / "data") as server:
        posted(server, chain("flow"))
        before = view(server, "flow")
        server.kill()
        server.start()
        assert view(server, "flow") == before
        posted(server, chain("flow"), status=200)


def test_many_posts_at_once_make_each_step_once(fresh):
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(post(fresh, chain("flow")).status_code)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 201 in answers and set(answers) <= {200, 201, 409}
    posted(fresh, chain("flow"), status=200)
    assert {fresh.step(f"flow_{each}")["revision"] for each in "abcd"} == {1}


def cli(server, *arguments):
    return subprocess.run([BINARY, *arguments, "--server", server.url], capture_output=True, text=True, timeout=120,
                          env=dict(os.environ, ORCHESTRA_HOME=str(HOME), NO_COLOR="1"))


def test_the_commands(fresh, tmp_path):
    (tmp_path / "d.csv").write_bytes(CSV)
    (tmp_path / "code.py").write_text("response = len(t)\n")
    file = tmp_path / "flow.yaml"
    text = ("steps:\n  - {service: function/python, name: f, function: code.py, functionParameters: {t: $d}}\n"
            "  - {service: dataset/csv, datasetName: d, datasetURI: d.csv}\n")
    file.write_text(text)
    done = cli(fresh, "run", file)
    assert done.returncode == 0, done.stderr
    assert "created d (its file)" in done.stderr and "created f (new)" in done.stderr
    second = cli(fresh, "run", file)
    assert second.returncode == 0 and "reused" in second.stdout and "created" not in second.stderr
    shown = cli(fresh, "export", "flow")
    assert shown.returncode == 0 and shown.stdout == exported(fresh, "flow")
    (tmp_path / "export.yaml").write_text(shown.stdout)
    back = cli(fresh, "run", tmp_path / "export.yaml")
    assert back.returncode == 0 and "created" not in back.stderr + back.stdout
    assert cli(fresh, "ls", "--workflows").stdout.splitlines()[1].split()[:2] == ["flow", "2"]
    (tmp_path / "d.csv").write_bytes(CSV + b"4,z\n")
    third = cli(fresh, "run", file)
    assert third.returncode == 0 and "changed d (its file)" in third.stderr, third.stderr
    assert fresh.value("f", f="$f") == 4
    file.write_text(text.replace("name: f", "name: f, timeout: -1"))
    wrong = cli(fresh, "run", file)
    assert wrong.returncode == 2 and "line 2: " in wrong.stderr and "timeout" in wrong.stderr
    assert fresh.delete("/function/python/f", cascade="true").status_code == 200
    assert cli(fresh, "run", file.with_name("export.yaml")).returncode == 2  # its digest is of before
    file.write_text(text)
    assert cli(fresh, "run", file).returncode == 0
    file.write_text("\n".join(text.splitlines()[:1] + text.splitlines()[2:]))
    pruned = cli(fresh, "run", "--prune", file)
    assert pruned.returncode == 0 and "deleted f" in pruned.stderr, pruned.stderr


def test_a_second_post_answers_at_once(fresh):
    """Figures for the documentation; only that nothing is run is asserted."""
    posted(fresh, chain("flow"))
    times = []
    for _ in range(50):
        begin = time.perf_counter()
        assert post(fresh, chain("flow"), wait=0).status_code == 200
        times.append(time.perf_counter() - begin)
    print(f"second post: p50 {statistics.median(times) * 1000:.1f} ms")


# --- A schedule of the whole ---


def nightly(name):
    """A root, what follows it, and what asks for the time."""
    steps = [{"service": "function/python", "name": f"{name}_root", "function": "response = {'day': day}", "functionParameters": {"day": "$clock.date"}},
             {"service": "function/python", "name": f"{name}_child", "function": "response = root['day'] + '!'", "functionParameters": {"root": f"${name}_root"}},
             {"service": "function/python", "name": f"{name}_dated", "function": "response = [child, at]",
              "functionParameters": {"child": f"${name}_child", "at": "$clock"}}]
    return {"name": name, "schedule": {"cron": "0 2 * * *", "misfire": "skip"}, "steps": steps}


def made_for(server, name):
    """Scheduled time → result, of the finished revisions that have one, oldest first."""
    found = {}
    for revision in server.step(name)["revisions"]:
        if revision["status"] == "finished" and "scheduledFor" in revision:
            shown = server.get(f"/step/{name}/artifact", format="json", revision=revision["revision"])
            found[revision["scheduledFor"]] = shown.json()
    return found


def test_the_schedule_of_a_workflow_is_that_of_its_steps(shared):
    name = unique("flow")
    done = posted(shared, nightly(name), wait=0)
    assert [step["action"] for step in done["steps"]] == ["created"] * 3
    assert shared.step(f"{name}_root")["status"] == "scheduled"
    assert shared.step(f"{name}_child")["status"] == "waiting"
    assert shared.get(f"/workflow/{name}").json()["result"]["schedule"] == nightly(name)["schedule"]
    assert [step["action"] for step in posted(shared, nightly(name), status=200, wait=0)["steps"]] == ["reused"] * 3
    exported = yaml.safe_load(shared.get(f"/workflow/{name}/export").text)
    assert exported["schedule"] == nightly(name)["schedule"]
    assert not any("schedule" in step or "autoUpdate" in step for step in exported["steps"])
    assert [step["action"] for step in posted(shared, exported, status=200, wait=0)["steps"]] == ["reused"] * 3


def test_a_workflow_with_a_bad_schedule_is_refused_where_it_stands(shared):
    name = unique("flow")
    for schedule, pointer in (({"cron": "0 25 * * *"}, "/schedule/cron"), ("nightly", "/schedule"), ({"at": "soon"}, "/schedule/at")):
        answer = post(shared, nightly(name) | {"schedule": schedule}, wait=0)
        assert answer.status_code == 406 and answer.json()["errors"][0]["pointer"].lstrip("#") == pointer, answer.text
    assert shared.get(f"/workflow/{name}").status_code == 404


def backfill(server, *arguments):
    return subprocess.run([BINARY, "backfill", *arguments, "--server", server.url], capture_output=True, text=True, timeout=120)


def test_a_backfill_makes_each_time_once_in_order(fresh):
    posted(fresh, nightly("flow"), wait=0)
    done = backfill(fresh, "flow", "--from", "2026-01-01", "--to", "2026-01-04")
    assert done.returncode == 0, done.stderr
    days = [f"2026-01-0{day}" for day in (1, 2, 3)]
    times = [f"{day}T02:00:00-00:00" for day in days]
    assert done.stdout.splitlines() == [f"{time} finished" for time in times]
    assert made_for(fresh, "flow_root") == {time: {"day": day} for time, day in zip(times, days)}
    assert made_for(fresh, "flow_child") == {time: day + "!" for time, day in zip(times, days)}
    assert made_for(fresh, "flow_dated") == {time: [day + "!", time.replace("-00:00", "+00:00")] for time, day in zip(times, days)}
    assert fresh.step("flow_root")["nextRun"] > "2026-11-01"
    done = backfill(fresh, "flow", "--from", "2025-12-31", "--to", "2026-01-03")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["2025-12-31T02:00:00-00:00 finished", f"{times[0]} has its results", f"{times[1]} has its results",
                                        f"{times[2]} finished"]  # which is the newest again
    assert fresh.get("/step/flow_child/artifact", format="json").json() == "2026-01-03!"
    again = backfill(fresh, "flow", "--from", "2026-01-03", "--to", "2026-01-04", "--again")
    assert again.stdout.splitlines() == [f"{times[2]} finished"]


def test_a_backfill_goes_on_over_a_kill_and_stops_where_a_step_fails(tmp_path):
    document = nightly("flow")
    document["steps"][1]["function"] = "if root['day'] == '2026-01-02': raise ValueError('no data')\nresponse = root['day']"
    with Server(tmp_path / "data") as server:
        posted(server, document, wait=0)
        answer = server.http.post(PREFIX + "/workflow/flow/rerun", json={"scheduledFor": "2026-01-01T02:00:00Z"})
        assert answer.status_code == 201 and answer.json()["steps"] == ["flow_root", "flow_child", "flow_dated"], answer.text
        server.kill()
    with Server(tmp_path / "data") as server:
        server.finished("flow_dated")
        done = backfill(server, "flow", "--from", "2026-01-01", "--to", "2026-01-04")
        assert done.returncode == 1 and "no data" in done.stderr
        assert done.stdout.splitlines() == ["2026-01-01T02:00:00-00:00 has its results", "2026-01-02T02:00:00-00:00 failed"]


def test_many_times_come_in_pages(shared):
    name = unique("flow")
    posted(shared, nightly(name) | {"schedule": {"cron": "0 * * * *", "misfire": "skip"}}, wait=0)
    asked, times = {"from": "2026-01-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, []
    while asked["from"]:
        page = shared.get(f"/workflow/{name}/times", **asked).json()
        times += [each["time"] for each in page["result"]]
        asked["from"] = page.get("next")
    assert len(times) == len(set(times)) == 59 * 24 and times == sorted(times)


def test_a_rerun_for_a_time_is_refused_clearly(shared):
    name = unique("flow")
    posted(shared, chain(name))
    for body, pointer in (({}, "/scheduledFor"), ({"scheduledFor": "soon"}, "/scheduledFor"), ({"scheduledFor": "2199-01-01T00:00:00Z"}, "/scheduledFor"),
                          ({"scheduledFor": "2026-01-01T00:00:00Z", "cascade": True}, "/cascade")):
        answer = shared.http.post(f"{PREFIX}/workflow/{name}/rerun", json=body)
        assert answer.status_code == 406 and answer.json()["errors"][0]["pointer"].lstrip("#") == pointer, answer.text
    assert shared.http.post(f"{PREFIX}/workflow/none/rerun", json={"scheduledFor": "2026-01-01T00:00:00Z"}).status_code == 404
    refused = shared.get(f"/workflow/{name}/times", **{"from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z"})
    assert refused.status_code == 406 and "no schedule with cron" in refused.json()["detail"]
    done = backfill(shared, name, "--from", "yesterday", "--to", "2026-01-04")
    assert done.returncode == 2 and "yesterday" in done.stderr
    assert shared.step(f"{name}_a")["revision"] == 1
