"""A backup of a catalog in a PostgreSQL and its store, taken by PostgreSQL's and the system's own tools while the server runs, in the order that
docs/operations.md gives; and a server that is started from it (skipped where there is no PostgreSQL to start)."""

import os
import shutil
import subprocess

import postgres as databases
from support import Server


def tool(postgres, name, *arguments):
    subprocess.run([os.path.join(postgres.programs, name), "-h", postgres.host, "-p", str(postgres.port), "-U", "ada", *arguments],
                   env=dict(os.environ, PGPASSWORD=databases.PASSWORD), check=True, capture_output=True)


def test_restored_from_a_dump_and_a_copy(postgres, database, tmp_path):
    dump, rows = tmp_path / "catalog.dump", 50_000
    with Server(tmp_path / "data", "--catalog", postgres.url(database), "--store", tmp_path / "mount") as server:
        server.upload("table", b"a\n" + b"".join(b"%d\n" % (i * i) for i in range(rows)))
        server.finished("table")
        server.function("counted", "response = len(x)", functionParameters={"x": "$table"})
        server.finished("counted")
        before = [server.step(name) for name in ("table", "counted")]
        server.function("waits", "import time\ntime.sleep(600)")
        server.running("waits")
        tool(postgres, "pg_dump", "-Fc", "-f", str(dump), database)
        shutil.copytree(tmp_path / "mount", tmp_path / "copy")
        server.function("later", "response = 1")
        server.finished("later")
        assert server.delete("/function/python/counted").status_code == 200
    postgres.sql(f"CREATE DATABASE {database}_again")
    tool(postgres, "pg_restore", "-d", f"{database}_again", str(dump))
    with Server(tmp_path / "again", "--catalog", postgres.url(f"{database}_again"), "--store", tmp_path / "copy") as server:
        assert [server.step(name) for name in ("table", "counted")] == before
        assert server.rows("table", skip=rows - 1, limit=2)[0]["a"] == str((rows - 1) ** 2)
        assert server.get("/step/counted/artifact", format="json").json() == rows
        assert server.get("/step/later").status_code == 404
        server.running("waits")  # it ran when the backup was taken: again
        assert server.post("/step/waits/cancel", {}).status_code == 200
        server.function("more", "response = len(x)", functionParameters={"x": "$table"})
        server.finished("more")
