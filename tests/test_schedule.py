"""Steps that run at a time, again and again, or whenever their inputs came out otherwise."""

import datetime

import pytest

from support import Server, unique


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)


def after(seconds):
    return (now() + datetime.timedelta(seconds=seconds)).isoformat()


CLOCK = {"functionParameters": {"clock": "$clock", "day": "$clock.date"}}
TELL = "print(clock, day); response = clock"
FAR = after(24 * 3600)


def told(server, name):
    return server.get(f"/step/{name}/log").text.splitlines()[-1]


def test_runs_at_its_time_and_says_until_when_it_waits(shared):
    name, at = unique(), after(2)
    assert shared.function(name, TELL, schedule={"at": at}, **CLOCK).status_code == 201
    step = shared.step(name)
    if not step["finished"]:  # two seconds may be over
        assert (step["status"], step["wait"]) == ("scheduled", f"until {at[:19]}-00:00")
    step = shared.finished(name)
    assert step["scheduledFor"] == at[:19] + "-00:00" <= step["startTime"]
    assert told(shared, name) == f"{at} {at[:10]}"


def test_children_wait_for_a_scheduled_step(shared):
    first, second = unique(), unique()
    shared.function(first, "response = 1", schedule={"at": FAR})
    shared.function(second, "response = x", functionParameters={"x": f"${first}"})
    assert shared.step(second)["wait"] == f"for {first}"
    assert shared.post(f"/step/{first}/cancel", None).status_code == 200
    assert shared.step(first)["status"] == "cancelled"
    assert shared.ended(second)["reason"] == "upstream_failed"


def test_a_time_that_is_over_is_now(shared):
    name = unique()
    shared.function(name, TELL, schedule={"at": "2020-02-29T12:00:00+02:00"}, **CLOCK)
    shared.finished(name)
    assert told(shared, name) == "2020-02-29T10:00:00+00:00 2020-02-29"


def test_a_rerun_is_for_the_same_time(shared):
    name = unique()
    shared.function(name, TELL, schedule={"at": "2020-02-29T10:00:00Z"}, **CLOCK)
    shared.finished(name)
    shared.post(f"/step/{name}/rerun", None)
    assert shared.finished(name)["scheduledFor"] == "2020-02-29T10:00:00-00:00"
    assert shared.step(name)["revision"] == 2


def test_without_a_schedule_the_time_is_that_of_the_request(shared):
    name, before = unique(), now().isoformat()
    shared.function(name, TELL, **CLOCK)
    shared.finished(name)
    assert before <= told(shared, name).split()[0] <= now().isoformat()


def test_a_cron_step_says_when_it_runs_next(shared):
    name = unique()
    cron = {"cron": "30 2 * * *", "timezone": "Asia/Kolkata", "misfire": "skip"}  # 21:00 UTC
    shared.function(name, "response = 1", schedule=cron)
    step = shared.step(name)
    assert (step["status"], step["schedule"]) == ("scheduled", cron)
    assert step["scheduledFor"].endswith("T21:00:00-00:00")
    assert shared.patch(f"/function/python/{name}", {"schedule": None}).status_code == 201
    step = shared.finished(name)
    assert "nextRun" not in step and "scheduledFor" not in step


def test_an_unscheduled_run_of_a_cron_step_keeps_its_schedule_and_cancel_ends_it(shared):
    name = unique()
    shared.function(name, "response = 1", schedule={"cron": "@yearly"})
    shared.post(f"/step/{name}/cancel", None)
    assert "nextRun" not in shared.step(name)
    shared.post(f"/step/{name}/rerun", None)
    assert shared.finished(name)["nextRun"].endswith("-01-01T00:00:00-00:00")
    assert shared.post(f"/step/{name}/cancel", None).status_code == 200
    step = shared.step(name)
    assert step["status"] == "cancelled" and "nextRun" not in step
    assert shared.post(f"/step/{name}/cancel", None).status_code == 200
    assert shared.delete(f"/function/python/{name}").status_code == 200


@pytest.mark.parametrize(("schedule", "pointer", "said"), [
    ("daily", "/schedule", "schedule must be an object"),
    ({}, "/schedule", "either at or cron"),
    ({"at": "tomorrow"}, "/schedule/at", "not \"tomorrow\""),
    ({"cron": "61 * * * *"}, "/schedule/cron", "61"),
    ({"cron": "0 0 * * *", "timezone": "Europe/Lisbonn"}, "/schedule/timezone", "Europe/Lisbon"),
    ({"cron": "0 0 * * *", "misfire": "later"}, "/schedule/misfire", "\"later\""),
    ({"every": 5}, "/schedule/every", "no member \"every\""),
])
def test_what_is_no_schedule_is_refused(shared, schedule, pointer, said):
    name = unique()
    answer = shared.function(name, "response = 1", schedule=schedule)
    assert answer.status_code == 406, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert said in answer.json()["result"]
    assert shared.get(f"/step/{name}").status_code == 404


def test_types_have_no_schedule_and_no_step_is_called_clock(shared):
    name = unique()
    shared.upload(name, b"a\n1\n")
    answer = shared.patch("/transform/dataType", {"inputDatasetName": name, "types": {"a": "number"}, "schedule": {"at": FAR}})
    assert answer.status_code == 406 and "belongs to the step that makes the dataset" in answer.text
    answer = shared.function("clock", "response = 1")
    assert answer.status_code == 406 and "reserved" in answer.text


def test_a_rerun_types_what_was_typed(shared):
    name = unique()
    shared.upload(name, b"a\n1\n")
    shared.patch("/transform/dataType", {"inputDatasetName": name, "types": {"a": "number"}})
    shared.until(name, lambda step: step["revision"] == 2 and step["finished"])
    shared.post(f"/step/{name}/rerun", None)
    step = shared.until(name, lambda step: step["revision"] == 4 and step["finished"])
    assert [each["operation"] for each in step["revisions"]] == ["dataset/csv", "transform/dataType"] * 2
    assert shared.rows(name) == [{"_id": 1, "a": 1}]


def test_what_asks_for_it_is_made_again_when_its_input_came_out_otherwise(shared):
    data, above, below = unique(), unique(), unique()
    shared.function(data, "response = 1")
    shared.function(above, "response = x + 1", functionParameters={"x": f"${data}"}, autoUpdate=True)
    shared.function(below, "response = x + 1", functionParameters={"x": f"${above}"}, autoUpdate=True)
    shared.finished(below)
    shared.patch(f"/function/python/{data}", {"function": "response = 2"})
    shared.until(below, lambda step: step["revision"] == 2 and step["finished"])
    assert shared.value("x", x=f"${below}") == 4
    shared.patch(f"/function/python/{data}", {"function": "response = 1 + 1"})  # which comes out the same
    shared.until(data, lambda step: step["revision"] == 3 and step["finished"])
    assert [shared.step(name)["revision"] for name in (above, below)] == [2, 2]
    assert not shared.step(below)["stale"]


def test_a_scheduled_step_comes_back_after_a_kill(tmp_path):
    with Server(tmp_path / "data") as server:
        at = after(3)
        server.function("soon", TELL, schedule={"at": at}, **CLOCK)
        server.function("late", "response = 1", schedule={"at": FAR})
        server.function("missed", TELL, schedule={"at": after(1)}, **CLOCK)
        server.function("again", "response = 1", schedule={"cron": "@daily"})
        server.kill()
        server.start()
        for name in ("soon", "missed"):
            server.finished(name)
        assert told(server, "soon") == f"{at} {at[:10]}"
        assert server.step("late")["status"] == "scheduled"
        assert server.step("again")["status"] == "scheduled"


@pytest.mark.long
def test_cron_comes_every_minute(shared):
    name = unique()
    shared.function(name, TELL, schedule={"cron": "* * * * *"}, **CLOCK)
    step = shared.until(name, lambda step: step["revision"] == 3 and step["finished"], timeout=240)
    times = [each["scheduledFor"] for each in step["revisions"]]
    assert all(time.endswith(":00-00:00") for time in times) and len(set(times)) == 3
    shared.post(f"/step/{name}/cancel", None)
