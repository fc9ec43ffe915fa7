"""Datasets from databases: SQLite always, PostgreSQL where the machine has one to start (else those tests are skipped)."""

import contextlib
import json
import os
import sqlite3

import pytest

import postgres as databases
from postgres import PASSWORD, QUOTED
from support import Server, unique

FOREVER = "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c) SELECT count(*) AS n FROM c"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("sql")
    with sqlite3.connect(made / "a shop.db") as database:
        database.execute("CREATE TABLE orders (id INTEGER, customer TEXT, price DECIMAL(10, 2), at TIMESTAMP, mixed, note TEXT, data BLOB)")
        rows = [(i, f"c{i % 7}", i / 4, f"2026-01-01 00:00:{i % 60:02d}", "x" if i == 40_000 else i, "late" if i > 39_000 else None, b"\x01") for i in range(50_000)]
        database.executemany("INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    database.close()
    return made


@pytest.fixture(scope="module")
def postgres():
    """The URL of a server that asks for a password."""
    with databases.running() as server:
        yield server.url("postgres")


@pytest.fixture(scope="module")
def server(folder, tmp_path_factory):
    file = folder / "connections.yaml"
    file.write_text(f"shop: sqlite:///{folder}/a%20shop.db\ngone: sqlite:///{folder}/gone.db\nlocked: postgresql://ada:{QUOTED}@127.0.0.1:1/postgres\n")
    with Server(tmp_path_factory.mktemp("server") / "data", "--connections", str(file)) as started:
        yield started


@pytest.fixture(scope="module")
def server_of_postgres(postgres, tmp_path_factory):
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("ORCHESTRA_CONNECTION_LAB", postgres)
        started = Server(tmp_path_factory.mktemp("server") / "data")
    with started:
        yield started


def ask(server, query, connection="shop", **more):
    name = unique("sql")
    answer = server.post("/dataset/sql", {"datasetName": name, "connection": connection, "query": query, **more})
    assert answer.status_code == 201, answer.text
    return name


def table(server, query, connection="shop", **page):
    name = ask(server, query, connection)
    step = server.finished(name)
    answer = server.get(f"/dataset/sql/{name}", **page)
    assert answer.status_code == 200, answer.text
    return step, answer.json()["result"][1:]


def failure(server, query, connection="shop"):
    step = server.ended(ask(server, query, connection))
    assert step["status"] == "failed"
    return step["exception"]


# --- SQLite ---


def test_values_have_types_and_nulls(server):
    step, rows = table(server, "SELECT id, customer, price, at, mixed, note FROM orders ORDER BY id -- all\n;", limit=3)
    assert (step["rows"], step["fields"], step["connection"]) == (50_000, ["id", "customer", "price", "at", "mixed", "note"], "shop")
    assert rows == [{"_id": 1, "id": 0, "customer": "c0", "price": 0, "at": "2026-01-01 00:00:00", "mixed": "0", "note": None},
                    {"_id": 2, "id": 1, "customer": "c1", "price": 0.25, "at": "2026-01-01 00:00:01", "mixed": "1", "note": None}]


def test_what_comes_late_decides_as_what_comes_first(server):
    """A column of nulls and whole numbers that ends in texts."""
    _, rows = table(server, "SELECT mixed, note FROM orders ORDER BY id", skip=40_000, limit=2)
    assert rows == [{"_id": 40_001, "mixed": "x", "note": "late"}]


def test_a_result_without_rows_is_a_table_without_rows(server):
    step, rows = table(server, "SELECT id, customer FROM orders WHERE id < 0")
    assert (step["rows"], step["fields"], rows) == (0, ["id", "customer"], [])


def test_a_table_is_what_steps_get_and_queries_find(server):
    name = ask(server, "SELECT customer, sum(price) AS total FROM orders GROUP BY customer")
    total = unique("total")
    server.function(total, "response = float(t['total'].sum())", functionParameters={"t": f"${name}"})
    server.finished(total)
    assert server.get(f"/step/{total}/artifact", format="json").json() == sum(i / 4 for i in range(50_000))
    found = server.get(f"/dataset/sql/{name}", query=json.dumps({"customer": "c3"})).json()["result"]
    assert [row["customer"] for row in found if "customer" in row] == ["c3"]


def test_it_is_asked_anew_when_the_query_changes(server):
    name = ask(server, "SELECT 1 AS a")
    server.finished(name)
    assert server.patch(f"/dataset/sql/{name}", {"query": "SELECT 2 AS a"}).status_code == 201
    server.finished(name)
    assert server.get(f"/dataset/sql/{name}").json()["result"][1:] == [{"_id": 1, "a": 2}]


@pytest.mark.parametrize("query, text", [
    ("SELECT nope FROM orders", "no such column: nope"),
    ("SELEC 1", "syntax error"),
    ("SELECT 1 AS a, 2 AS a", "two columns are named 'a'"),
    ("SELECT 1 AS _id", "'_id'"),
    ("SELECT 1; SELECT 2", "one statement"),
    ("  ;\n", "the query is empty"),
    ("DELETE FROM orders", "not authorized"),
    ("CREATE TABLE more (a)", "not authorized"),
    ("ATTACH '/tmp/orchestra-attached.db' AS more", "not authorized"),
])
def test_a_wrong_query_is_told_in_the_words_of_the_database(server, query, text):
    assert text in failure(server, query)
    assert not os.path.exists("/tmp/orchestra-attached.db")


def test_a_file_that_is_not_there_is_not_made(server, folder):
    assert "unable to open database file" in failure(server, "SELECT 1", "gone")
    assert not (folder / "gone.db").exists()


def test_a_connection_that_the_server_does_not_have(server, shared, fresh):
    name = unique()
    body = {"datasetName": name, "connection": "shopp", "query": "SELECT 1"}
    for target, text in ((server, "it has gone, locked, shop"), (fresh, "--connections")):
        answer = target.post("/dataset/sql", body)
        assert answer.status_code == 406
        (error,) = answer.json()["errors"]
        assert error["pointer"] == "/connection" and "'shopp'" in error["detail"] and text in error["detail"]
        assert target.get(f"/step/{name}").status_code == 404


def test_every_wrong_member_is_named(server):
    answer = server.post("/dataset/sql", {"datasetName": "a b", "connection": 1, "query": "", "table": "x"})
    assert answer.status_code == 406
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/datasetName", "/connection", "/query", "/table"}


@pytest.mark.parametrize("how", ["cancel", "timeout"])
def test_a_query_without_end_is_stopped(server, how):
    name = ask(server, FOREVER, **({"timeout": 1} if how == "timeout" else {}))
    server.running(name)
    if how == "cancel":
        assert server.post(f"/step/{name}/cancel", {}).status_code == 200
    step = server.ended(name)
    assert step["status"] == ("cancelled" if how == "cancel" else "failed")
    assert how == "cancel" or "1 s" in step["exception"]


def test_rows_are_told_while_they_come(server):
    name = ask(server, "WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < 700000) SELECT i, i * 0.5 AS h FROM c")
    server.progress_until(name, lambda progress: 0 < progress.get("rows", 0) < 700_000)
    assert server.finished(name)["rows"] == 700_000
    assert server.get(f"/dataset/sql/{name}", skip=699_999).json()["result"][1:] == [{"_id": 700_000, "i": 700_000, "h": 350_000}]


def test_a_query_of_any_length(server):
    numbers = list(range(30_000))
    _, rows = table(server, f"SELECT count(*) AS n FROM orders WHERE id IN ({', '.join(map(str, numbers))})")
    assert rows == [{"_id": 1, "n": 30_000}]


def test_no_password_is_shown_or_kept(server):
    """Neither of a connection that was used, nor in what user code sees."""
    name = ask(server, "SELECT 1", "locked")
    step = server.ended(name)
    assert step["status"] == "failed" and "Connection refused" in step["exception"], step["exception"]
    code = "import os\nresponse = [open('/proc/%s/environ' % each).read() for each in ('self', os.getppid())]"
    seen = unique("seen")
    server.function(seen, code)
    server.finished(seen)
    answers = [server.get(path).text for path in (f"/step/{name}", f"/step/{name}/log", f"/dataset/sql/{name}", f"/step/{seen}")]
    answers.append(server.get(f"/observe/{name}", wait=1).text)
    answers.append(server.get(f"/step/{seen}/artifact", format="json").text)
    answers.append(server.log_path.read_text())
    check_no_password(server, answers)


def check_no_password(server, answers):
    files = {}
    for path in server.data.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # of a job that has just ended
            files[path] = path.read_bytes() if path.is_file() else b""
    assert any(path.name.startswith("catalog.sqlite") for path in files)
    for secret in (PASSWORD, QUOTED):
        assert all(secret not in answer for answer in answers)
        assert [path for path, content in files.items() if secret.encode() in content] == []


def test_a_file_of_connections_that_cannot_be_read_ends_the_server(tmp_path):
    file = tmp_path / "connections.yaml"
    file.write_text(f"shop: mysql://ada:{QUOTED}@db/shop\n")
    with pytest.raises(RuntimeError, match="'shop'") as ended:
        Server(tmp_path / "data", "--connections", str(file))
    assert QUOTED not in str(ended.value)


# --- PostgreSQL ---


def test_types_of_postgresql(server_of_postgres):
    query = """SELECT * FROM (
        SELECT 1::int2 AS i, 9007199254740993::int8 AS big, 0.1::float8 AS f, 12345678901234567.89::numeric AS n, 1.10::numeric(10, 2) AS dec, 'ä'::text AS s,
               true AS yes, timestamp '2026-01-02 03:04:05.678901' AS at, timestamptz '2026-01-02 03:04:05+02' AS zone, date '2026-01-02' AS day,
               '{"k": 1}'::jsonb AS j, '6ba7b810-9dad-11d1-80b4-00c04fd430c8'::uuid AS u, ARRAY['x', NULL] AS list
        UNION ALL SELECT NULL, NULL, NULL, NULL, NULL::numeric(10, 2), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS q ORDER BY i"""
    name = ask(server_of_postgres, query, "lab")
    step = server_of_postgres.finished(name)
    first, second = server_of_postgres.get(f"/dataset/sql/{name}").json()["result"][1:]
    assert {key: first[key] for key in ("i", "big", "f", "n", "s", "yes", "j", "u", "list")} == {
        "i": 1, "big": 9007199254740993, "f": 0.1, "n": 12345678901234567.89, "s": "ä", "yes": True, "j": '{"k": 1}',
        "u": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "list": ["x", None]}
    assert float(first["dec"]) == 1.1
    assert first["at"].startswith("2026-01-02T03:04:05.678901") and first["zone"].startswith("2026-01-02T01:04:05") and first["day"].startswith("2026-01-02")
    assert set(second.values()) == {2, None}
    assert step["notes"] == ["column 'n' is numeric without a precision: stored as 64-bit numbers; n::text keeps all digits"]
    kinds = unique("kinds")
    server_of_postgres.function(kinds, "response = [str(t['dec'][0]), str(t['at'].dtype), str(t['zone'].dtype), str(t['n'].dtype)]", functionParameters={"t": f"${name}"})
    server_of_postgres.finished(kinds)
    value = server_of_postgres.get(f"/step/{kinds}/artifact", format="json").json()
    assert value == ["1.10", "datetime64[us]", "datetime64[us, UTC]", "float64"]


def test_many_rows_of_postgresql_come_in_batches(server_of_postgres):
    name = ask(server_of_postgres, "SELECT i, md5(i::text) AS digest, i * 1.5 AS x FROM generate_series(1, 1000000) AS i", "lab")
    assert server_of_postgres.finished(name)["rows"] == 1_000_000
    assert server_of_postgres.get(f"/dataset/sql/{name}", skip=999_999).json()["result"][1]["x"] == 1_500_000


def test_a_result_without_rows_of_postgresql(server_of_postgres):
    step, rows = table(server_of_postgres, "SELECT 1 AS a, 'x' AS b WHERE false", "lab")
    assert (step["rows"], step["fields"], rows) == (0, ["a", "b"], [])


@pytest.mark.parametrize("query, text", [
    ("SELECT nope", 'column "nope" does not exist'),
    ("SELECT 1 / (i - 500000) AS q FROM generate_series(1, 1000000) AS i", "division by zero"),
    ("SELECT 1; SELECT 2", "multiple commands"),
    ("SELECT interval '1 day' AS span", "span::text"),
    ("SELECT 'NaN'::numeric(5, 2) AS x", "x::float8"),
    ("CREATE TABLE more (a int)", "must be a SELECT"),
    ("DO $$ BEGIN CREATE TABLE more (a int); END $$", "must be a SELECT"),
    ("COPY (SELECT 1) TO PROGRAM 'false'", "must be a SELECT"),
    ("WITH gone AS (DELETE FROM pg_description RETURNING 1) SELECT * FROM gone", "read-only transaction"),
    ("SELECT set_config('transaction_read_only', 'off', true)", "must be set before any query"),
])
def test_a_wrong_query_of_postgresql(server_of_postgres, query, text):
    assert text in failure(server_of_postgres, query, "lab")


def test_a_password_that_holds_is_not_kept_either(server_of_postgres):
    name = ask(server_of_postgres, "SELECT 1 AS a", "lab")
    server_of_postgres.finished(name)
    long = ask(server_of_postgres, f"SELECT pg_sleep(600)::text AS a, '{'x' * 100_000}' AS b", "lab")  # such a step is a file while it runs
    server_of_postgres.running(long)
    (step_file,) = (server_of_postgres.data / "run").glob("*/step.json")
    assert "pg_sleep" in step_file.read_text()
    check_no_password(server_of_postgres, [server_of_postgres.get(f"/step/{name}").text, server_of_postgres.log_path.read_text()])
    assert server_of_postgres.post(f"/step/{long}/cancel", {}).status_code == 200
    assert server_of_postgres.ended(long)["status"] == "cancelled"
