"""Datasets from HDFS: Hadoop's own name node and data node, against the built server."""

import contextlib
import gzip
import io
import time

import psutil
import pyarrow
import pytest
from pyarrow import parquet

import hadoop
from support import Server, unique

BLOCK = 8 * 1024 * 1024  # of the process that reads
HADOOP_BLOCK = 1024 * 1024


@pytest.fixture(scope="module")
def names():
    with hadoop.running() as started:
        yield started


@pytest.fixture
def environment(monkeypatch):
    for name in ("HADOOP_HOME", "HADOOP_CONF_DIR", "HADOOP_PROXY_USER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HADOOP_USER_NAME", hadoop.USER)
    return monkeypatch


@pytest.fixture
def server(names, environment, tmp_path):
    with Server(tmp_path / "data", "--hdfs", names.host) as started:
        yield started


def read(server, url, service="dataset/csv", **more):
    name = unique("hdfs")
    answer = server.post(f"/{service}", {"datasetName": name, "datasetURI": url, **more})
    assert answer.status_code == 201, answer.text
    return name


def failure(server, name):
    step = server.ended(name)
    assert step["status"] == "failed", step
    return step["exception"]


def reader_that_waits(server, names):
    """The process that has asked the data node for a block: it knows the file's size by then."""
    ports = {each.laddr.port for each in names.data_node.net_connections() if each.status == psutil.CONN_LISTEN}
    end = time.monotonic() + 60
    while time.monotonic() < end:
        for each in server.descendants():
            with contextlib.suppress(psutil.NoSuchProcess):
                if "orchestra_remote_file.py" in " ".join(each.cmdline()) and any(one.raddr and one.raddr.port in ports for one in each.net_connections()):
                    return each
        time.sleep(0.05)
    raise AssertionError("no process asks the data node")


@pytest.fixture
def silent(names):
    """The data node takes connections and says nothing, until it is resumed."""
    names.data_node.suspend()
    yield names.data_node
    names.data_node.resume()


def test_csv_parquet_and_any_file(server, names):
    table = io.BytesIO()
    parquet.write_table(pyarrow.table({"a": [1, None], "s": ["x", "y"]}), table)
    csv = read(server, names.put("/lake/a b%20ä.csv", b"id,zip\n1,007\n2,\n"))
    columns = read(server, names.put("/lake/t.parquet", table.getvalue()), "dataset/parquet")
    packed = read(server, names.put("/lake/p.csv.gz", gzip.compress(b"n\n" + b"1\n" * 1000)), types="infer")
    blob = read(server, names.put("/lake/empty", b""), "dataset/generic")
    step = server.finished(csv)
    assert server.rows(csv) == [{"_id": 1, "id": "1", "zip": "007"}, {"_id": 2, "id": "2", "zip": ""}]
    assert (step["url"], step["fields"], step["rows"]) == (f"hdfs://{names.host}/lake/a b%20ä.csv", ["id", "zip"], 2)
    server.finished(columns)
    assert server.get(f"/dataset/parquet/{columns}").json()["result"][1:] == [{"_id": 1, "a": 1, "s": "x"}, {"_id": 2, "a": None, "s": "y"}]
    assert server.finished(packed)["rows"] == 1000
    server.finished(blob)
    assert server.get(f"/step/{blob}/artifact").content == b""


def test_a_large_file_of_many_blocks(server, names):
    """Its blocks in HDFS end within the pieces that are read, and those within lines."""
    content = b"n,text\n" + b"".join(b"%07d," % i + b"x" * 90 + b"\n" for i in range(200_000))
    assert 2 * BLOCK < len(content) < 3 * BLOCK
    name = read(server, names.put("/large.csv", content, blocksize=HADOOP_BLOCK), "dataset/generic")
    server.finished(name)
    assert server.get(f"/step/{name}/artifact").content == content


def test_what_is_not_there(server, names):
    names.put("/folder/inside.csv", b"a\n1\n")
    assert f"there is no hdfs://{names.host}/nope.csv" in failure(server, read(server, f"hdfs://{names.host}/nope.csv"))
    assert "is a folder, not a file" in failure(server, read(server, f"hdfs://{names.host}/folder"))


def test_what_the_user_may_not_read(names, environment, tmp_path):
    url = names.put("/closed.csv", b"a\n1\n")
    names.permit("/closed.csv", "600")
    environment.setenv("HADOOP_USER_NAME", "eve")
    with Server(tmp_path / "data", "--hdfs", names.host) as server:
        said = failure(server, read(server, url))
    assert url in said and "Permission denied" in said and "eve" in said and "\tat " not in said


@pytest.fixture
def waiting(names):
    """A file to read, put there before the data node falls silent."""
    return names.put("/waiting.csv", b"a\n" + b"1\n" * BLOCK, blocksize=HADOOP_BLOCK)


def test_a_file_that_changes_while_it_is_read(server, names, waiting, silent):
    name = read(server, waiting)
    reader_that_waits(server, names)
    names.touch("/waiting.csv")
    silent.resume()
    assert failure(server, name) == f"{waiting} was changed while it was read"


def test_a_step_that_is_cancelled_ends_its_process(server, names, waiting, silent):
    name = read(server, waiting)
    reader = reader_that_waits(server, names)
    assert server.post(f"/step/{name}/cancel", {}).status_code == 200
    assert psutil.wait_procs([reader], timeout=30)[1] == []
    assert server.ended(name)["status"] == "cancelled"


def test_a_server_that_is_killed_meanwhile_reads_again(server, names, waiting, silent):
    name = read(server, waiting)
    reader = reader_that_waits(server, names)
    server.kill()
    assert psutil.wait_procs([reader], timeout=30)[1] == []
    silent.resume()
    server.start()
    assert server.finished(name)["rows"] == BLOCK


def test_a_name_node_that_is_not_there(environment, tmp_path):
    with Server(tmp_path / "data", "--hdfs", "127.0.0.1:1") as server:
        said = failure(server, read(server, "hdfs://127.0.0.1:1/a.csv"))
    assert "hdfs://127.0.0.1:1/a.csv cannot be read: Connection refused" in said


def test_a_data_node_that_dies(environment, tmp_path):
    """The name node believes in it still."""
    with hadoop.running() as names, Server(tmp_path / "data", "--hdfs", names.host) as server:
        url = names.put("/lost.csv", b"a\n1\n")
        names.data_node.kill()
        names.data_node.wait(30)
        said = failure(server, read(server, url))
    assert said == f"{url} cannot be read: none of the data nodes that have it answers"


def refused(server, url):
    name = unique("refused")
    answer = server.post("/dataset/csv", {"datasetName": name, "datasetURI": url})
    assert answer.status_code == 406 and server.get(f"/step/{name}").status_code == 404, answer.text
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/datasetURI"
    return error["detail"]


def test_name_nodes_that_the_server_was_not_told_of(environment, tmp_path):
    with Server(tmp_path / "none") as server:
        assert "--hdfs names:8020" in refused(server, "hdfs://names/a.csv")
    with Server(tmp_path / "one", "--hdfs", "names.example:9000") as server:
        assert "names.example:9000" in refused(server, "hdfs://names.example/a.csv")


def test_what_no_url_may_hold(environment, tmp_path):
    with Server(tmp_path / "data", "--hdfs", "names:8020") as server:
        detail = refused(server, "hdfs://me:open@names/a.csv")
        assert "user name or password" in detail and "open" not in detail
        for url in ("hdfs:///a.csv", "hdfs://names/", "hdfs://names/folder/"):
            assert url in refused(server, url)
