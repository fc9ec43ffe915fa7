"""The server with its catalog in a PostgreSQL: what was acknowledged outlives kill -9 of either (skipped where there is none to start)."""

import os
import subprocess
import threading

import pytest

import postgres as databases
from support import BINARY, HOME, Server

DOUBLE = "response = x * 2"


def refused(tmp_path, *options, **variables):
    """What a server says that does not start: one line."""
    ended = subprocess.run([BINARY, "serve", "--port", "0", "--data", tmp_path / "data", *options], env=dict(os.environ, ORCHESTRA_HOME=str(HOME), **variables),
                           capture_output=True, text=True, timeout=60)
    assert ended.returncode != 0
    return (ended.stdout + ended.stderr).strip()


def test_workflow_outlives_kill_9_of_the_server(postgres, database, tmp_path):
    with Server(tmp_path / "data", "--catalog", postgres.url(database)) as server:
        document = {"name": "small", "steps": [
            {"service": "function/python", "name": "one", "function": DOUBLE, "functionParameters": {"x": 21}},
            {"service": "function/python", "name": "two", "function": DOUBLE, "functionParameters": {"x": "$one"}}]}
        answer = server.post("/workflow", document)
        assert answer.status_code in (200, 201, 202), answer.text
        server.finished("two")
        before = [server.step(name) for name in ("one", "two")]
        last = server.http.get("/api/learningOrchestra/v1/observe/two", params={"wait": 1}).json()["last"]
        server.kill()
        server.start()
        assert [server.step(name) for name in ("one", "two")] == before
        assert server.get("/workflow/small").status_code == 200
        assert server.http.get("/api/learningOrchestra/v1/observe/two", params={"wait": 1}).json()["last"] == last
        server.function("three", DOUBLE, functionParameters={"x": "$two"})
        server.finished("three")
        assert "ses" not in server.log()
    assert not (tmp_path / "data" / "catalog.sqlite").exists()
    assert postgres.sql("SELECT count(*) FROM step", database) == "3"


def test_running_load_outlives_kill_9_of_postgresql(postgres, database, tmp_path):
    with Server(tmp_path / "data", "--catalog", postgres.url(database)) as server:
        server.function("warm", "response = 1")
        server.finished("warm")
        acknowledged = []
        killed = threading.Event()

        def post_all():
            for i in range(60):
                answer = server.post("/function/python", {"name": f"load_{i}", "function": DOUBLE, "functionParameters": {"x": i}})
                if answer.status_code == 201:
                    acknowledged.append(f"load_{i}")
                if i == 20:
                    killed.set()

        posting = threading.Thread(target=post_all)
        posting.start()
        assert killed.wait(60)
        postgres.kill()
        postgres.start()
        posting.join(120)
        assert not posting.is_alive()
        assert len(acknowledged) == 60  # none was refused: the commits waited
        for name in acknowledged:
            server.finished(name)
        numbers = [int(line) for line in postgres.sql("SELECT seq FROM event ORDER BY seq", database).split()]
        assert numbers == list(range(1, len(numbers) + 1))
        assert postgres.sql("SELECT count(*) FROM event WHERE type = 'accepted' AND name LIKE 'load_%'", database) == "60"
        assert postgres.sql("SELECT count(*) FROM event WHERE type = 'finished' AND name LIKE 'load_%'", database) == "60"


def test_url_comes_from_the_variable_and_its_password_from_another(postgres, database, tmp_path):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ORCHESTRA_CATALOG", f"postgresql://ada@127.0.0.1:{postgres.port}/{database}")
        environment.setenv("PGPASSWORD", databases.PASSWORD)
        with Server(tmp_path / "data") as server:
            code = "import os\nprint(sorted(name for name in os.environ if 'CATALOG' in name or name.startswith('PG')))\nresponse = None"
            server.function("look", code)
            server.finished("look")
            server.log_until("look", "[]")  # steps are not told
    assert postgres.sql("SELECT name FROM step", database) == "look"


def test_what_is_wrong_is_one_line_without_the_password(postgres, database, tmp_path):
    line = refused(tmp_path, "--catalog", postgres.url(database, "wr0ng"))
    assert "--catalog" in line and "password authentication failed" in line and "wr0ng" not in line and "\n" not in line
    line = refused(tmp_path, "--catalog", postgres.url("nowhere"))
    assert "--catalog" in line and '"nowhere" does not exist' in line and "\n" not in line
    line = refused(tmp_path, "--catalog", "postgresql://ada:wr0ng@127.0.0.1:1/x")
    assert "--catalog" in line and "Connection refused" in line and "wr0ng" not in line and "\n" not in line
    assert "wr0ng" not in refused(tmp_path, "--catalog", "mysql://ada:wr0ng@host/x")
    assert "wr0ng" not in refused(tmp_path, ORCHESTRA_CATALOG="mysql://ada:wr0ng@host/x")


def test_one_server_has_the_catalog_at_a_time(postgres, database, tmp_path):
    with Server(tmp_path / "data", "--catalog", postgres.url(database)) as server:
        (tmp_path / "other").mkdir()
        line = refused(tmp_path / "other", "--catalog", postgres.url(database))
        assert "another server holds the catalog (--catalog)" in line and "\n" not in line
        server.function("still", "response = 1")
        server.finished("still")


def test_folder_and_catalog_stay_together(postgres, database, tmp_path):
    """The other catalog knows nothing of what is in the store, and would have it removed."""
    postgres.sql(f"CREATE DATABASE {database}_other")
    with Server(tmp_path / "data", "--catalog", postgres.url(database)) as server:
        server.function("kept", "response = list(range(100000))")
        server.finished("kept")
    assert "give its URL with --catalog" in refused(tmp_path)
    assert "belongs to another catalog" in refused(tmp_path, "--catalog", postgres.url(f"{database}_other"))
    ended = subprocess.run([BINARY, "backup", tmp_path / "backup", "--data", tmp_path / "data"], capture_output=True, text=True)
    assert ended.returncode == 1 and "in a PostgreSQL" in ended.stderr
    with Server(tmp_path / "data", "--catalog", postgres.url(database)) as server:
        server.function("user", "response = len(x)", functionParameters={"x": "$kept"})
        server.finished("user")
    (tmp_path / "lite").mkdir()
    with Server(tmp_path / "lite" / "data") as server:
        server.function("kept", "response = 1")
        server.finished("kept")
    assert "catalog.sqlite" in refused(tmp_path / "lite", "--catalog", postgres.url(f"{database}_other"))
