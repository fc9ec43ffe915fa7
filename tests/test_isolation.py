"""`isolation: "shared"`: steps of one owner use one warm process, and nothing else is different."""

import psutil
import pytest

from support import Gate, Server, unique

PID = "import os\nresponse = {'pid': os.getpid()}"


def pid(server, name):
    server.finished(name)
    return server.get(f"/step/{name}/artifact", format="json").json()["pid"]


def shared_step(server, code=PID, owner="ada", **more):
    name = unique("shared")
    answer = server.function(name, code, isolation="shared", labels={"owner": owner}, **more)
    assert answer.status_code == 201, answer.text
    return name


def test_steps_of_one_owner_share_a_process_and_no_others_do(shared):
    first = pid(shared, shared_step(shared))
    assert pid(shared, shared_step(shared)) == first
    assert pid(shared, shared_step(shared, owner="grace")) != first
    own = unique("own")
    shared.function(own, PID, labels={"owner": "ada"})
    assert pid(shared, own) != first


def test_a_chain_of_shared_steps_hands_its_results_on(shared):
    names = [shared_step(shared, "response = [1]")]
    for _ in range(20):
        names.append(shared_step(shared, "response = before + [len(before) + 1]", functionParameters={"before": f"${names[-1]}"}))
    shared.finished(names[-1])
    assert shared.get(f"/step/{names[-1]}/artifact", format="json").json() == list(range(1, 22))


def test_a_table_of_a_shared_step_is_a_dataset(shared):
    name = shared_step(shared, "import pandas as pd\nresponse = pd.DataFrame({'a': [1, 2, 3]})")
    shared.finished(name)
    assert [row["a"] for row in shared.get(f"/dataset/csv/{name}").json()["result"][1:]] == [1, 2, 3]


def test_a_step_that_dies_or_is_cancelled_harms_no_other(shared):
    died = shared_step(shared, "import os\nos.abort()")
    assert shared.ended(died)["status"] == "failed"
    waits = shared_step(shared, "import threading\nprint('there', flush=True)\nthreading.Event().wait()")
    shared.log_until(waits, "there")
    assert shared.post(f"/step/{waits}/cancel", {}).status_code == 200
    assert shared.ended(waits)["status"] == "cancelled"
    shared.finished(shared_step(shared))


def test_memory_over_the_limit_ends_the_process_and_is_told(shared):
    big = shared_step(shared, "x = bytearray(600_000_000)\nresponse = len(x)", resources={"memory": "200MB"})
    ended = shared.ended(big)
    assert (ended["status"], ended["reason"]) == ("failed", "out_of_memory"), ended
    shared.finished(shared_step(shared, resources={"memory": "200MB"}))


@pytest.mark.parametrize("value", ["thread", 1, True])
def test_an_unknown_isolation_is_refused(shared, value):
    answer = shared.function(unique("refused"), PID, isolation=value)
    assert answer.status_code == 406 and answer.json()["errors"][0]["pointer"].endswith("/isolation")


def test_shared_processes_die_with_the_server_and_steps_come_back(tmp_path):
    with Server(tmp_path / "data") as server:
        before = pid(server, shared_step(server))
        process = psutil.Process(before)
        gate = Gate(tmp_path)
        name = shared_step(server, gate.code + PID)
        server.log_until(name, "at the gate")
        server.running(name)
        server.kill()
        process.wait(30)
    with Server(tmp_path / "data") as server:
        gate.open()
        assert pid(server, name) != before
        assert server.step(name)["attempts"] == 2
