"""A catalog with very many finished steps, made in seconds: a server runs one group of steps, whose rows are then copied. What the tables
are and which columns hold steps' ids is asked of the database, so that this stays right when the schema changes."""

import contextlib
import sqlite3

from support import Server

GROUP = 4  # steps
FIRST = "crowd_0000000_"  # begins all their names; each copy has a number of its own instead
DATA = b"a,b\n1,x\n2,y\n"


def make_group(server):
    labels = {"team": "blue", "group": FIRST + "label"}
    server.upload(f"{FIRST}data", DATA)
    server.post("/transform/projection", {"inputDatasetName": f"{FIRST}data", "outputDatasetName": f"{FIRST}columns", "names": ["a"],
                                          "labels": labels})
    server.function(f"{FIRST}first", "print('some text')\nresponse = 1", labels=labels)
    server.function(f"{FIRST}second", "response = before", functionParameters={"before": f"${FIRST}first"})
    for name in ("data", "columns", "first", "second"):
        server.finished(FIRST + name)


def step_columns(catalog, table):
    """The columns of a table that hold ids of steps, followed from foreign key to foreign key."""
    if table == "step":
        return {"id"}
    keys = catalog.execute(f"PRAGMA foreign_key_list({table})").fetchall()
    return {key[3] for key in keys if key[4] in step_columns(catalog, key[2])}


def renamed(column, ids):
    """SQL for a text that names steps or their ids, as it is in copy number k of `copies`."""
    sql = f"replace({column}, '{FIRST}', printf('crowd_%07d_', k))"
    for step in ids:
        sql = f"replace({sql}, '{step}', {step} + k * {len(ids)})"
    return sql


def copied(column, table, of_steps, ids):
    _, name, kind, _, _, in_key = column
    if name in of_steps:
        return f"{name} + k * {len(ids)}"
    if kind == "TEXT":
        return renamed(name, ids)
    return "NULL" if in_key and not of_steps else name  # the next number of an event


def copy_rows(catalog, table, ids, copies):
    columns = catalog.execute(f"PRAGMA table_info({table})").fetchall()
    of_steps = step_columns(catalog, table)
    names = [column[1] for column in columns]
    if of_steps:
        mine = f"{min(of_steps)} IN ({', '.join(map(str, ids))})"
    elif "name" in names and table != "counter":
        mine = f"name LIKE '{FIRST}%'"
    else:
        return
    values = ", ".join(copied(column, table, of_steps, ids) for column in columns)
    catalog.execute(f"WITH RECURSIVE copies (k) AS (VALUES (1) UNION ALL SELECT k + 1 FROM copies WHERE k < {copies}) "
                    f"INSERT INTO {table} ({', '.join(names)}) SELECT {values} FROM copies CROSS JOIN {table} WHERE {mine} ORDER BY k")


def multiply(path, steps):
    with contextlib.closing(sqlite3.connect(path)) as catalog, catalog:
        catalog.execute("PRAGMA foreign_keys = OFF")
        tables = [row[0] for row in catalog.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'")]
        ids = [row[0] for row in catalog.execute(f"SELECT id FROM step WHERE name LIKE '{FIRST}%'")]
        for table in tables:
            copy_rows(catalog, table, ids, steps // GROUP - 1)
        assert catalog.execute("SELECT count(*) FROM step").fetchone()[0] == steps
        assert catalog.execute("PRAGMA foreign_key_check").fetchall() == []


def make(data, steps):
    """A data folder whose catalog has that many finished steps."""
    with Server(data, check=False) as server:
        make_group(server)
    multiply(data / "catalog.sqlite", steps)
