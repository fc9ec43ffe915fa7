"""The builder on a standalone cluster, whose executors and workers die."""

import subprocess

import pytest

import spark
from spark import PATIENCE, build, load, refused, running_cluster, until_phase
from support import Server, eventually
from test_doctor import doctor, of

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def cluster():
    with running_cluster(workers=2) as running:
        yield running


@pytest.fixture(scope="module")
def server(cluster, tmp_path_factory):
    with Server(tmp_path_factory.mktemp("cluster") / "data", *cluster.options) as started:
        load(started)
        yield started


def finished(server, names):
    return {name: server.finished(name, PATIENCE) for name in names}


def state(server):
    return server.http.get("/ready").json()["runners"]["spark-server"]["state"]


def test_titanic_finishes_although_an_executor_is_killed(server, cluster):
    assert state(server) == "cold"
    names = build(server, "first", "LR", "DT", "GB", "RF", "NB")
    until_phase(server, "firstGB", "fitting")
    cluster.executors()[0].kill()
    for name, step in finished(server, names).items():
        assert float(step["accuracy"]) >= (0.58 if name.endswith("NB") else 0.76), name
        assert step["attempts"] == 1
    assert state(server) == "warm"
    eventually(lambda: len(cluster.executors()) == 2)


def test_what_all_executors_kept_is_computed_anew(server, cluster):
    names = build(server, "anew", "GB", "NB")
    until_phase(server, "anewNB", "evaluating")  # the features have been used, and GB, which takes far longer, needs them still
    for executor in cluster.executors():
        executor.kill()
    for step in finished(server, names).values():
        assert step["attempts"] == 1
    assert "anewGB begins anew: executors died" in server.get("/step/anewGB/log").text


def test_a_worker_is_killed(server, cluster):
    names = build(server, "fewer", "DT", "NB")
    until_phase(server, "fewerDT", "fitting")
    cluster.workers[0].kill()
    cluster.workers[0].wait(30)
    finished(server, names)


def test_doctor_runs_something_on_it(cluster, tmp_path):
    (tmp_path / "new").mkdir()
    level, _, says, _ = of(doctor("--data", tmp_path / "new", *cluster.options), "spark")
    assert level in ("ok", "warning") and says.startswith(f"{cluster.url}: Spark 4.")  # a warning: the server of the other tests may have all cores


def test_executors_that_do_not_see_the_store(tmp_path):
    hide = ("unshare", "--mount", "/bin/sh", "-c", f'mount -t tmpfs none {tmp_path}/data/store && exec "$@"', "hide")
    (tmp_path / "data" / "store").mkdir(parents=True)
    if subprocess.run([*hide, "true"], capture_output=True).returncode != 0:
        pytest.skip("no mount namespace can be made here")
    with running_cluster(workers=1, wrap=hide) as cluster, Server(tmp_path / "data", *cluster.options) as server:
        load(server)
        (name,) = build(server, "hidden", "NB", code=spark.SMALL)
        step = server.ended(name, PATIENCE)
        assert step["status"] == "failed"
        assert "NotShared: " in step["exception"] and "(--store)" in step["exception"] and str(server.data / "store") in step["exception"]
        server.stop()
        level, _, says, _ = of(doctor("--data", server.data, *cluster.options, status=1), "spark")
        assert level == "broken" and "does not see" in says and "(--store)" in says
        server.start()


def test_a_master_that_is_not_there(tmp_path):
    url = f"spark://127.0.0.1:{spark.free_port()}"
    assert f"{url} (--spark) cannot be reached" in refused("--data", tmp_path / "data", "--spark", url)
    assert "--spark" in refused("--data", tmp_path / "data", "--spark", "spark://127.0.0.1")
    (tmp_path / "defaults").write_text("spark.master local\n")
    assert f"{tmp_path}/defaults, line 1" in refused("--data", tmp_path / "data", "--spark-defaults", tmp_path / "defaults")
