"""An HDFS of the tests' own, one name node and one data node, which they can stop and kill. Files come into it by Hadoop's REST interface."""

from __future__ import annotations

import contextlib
import glob
import os
import pathlib
import socket
import subprocess
import tempfile
import time
from urllib.parse import quote
from xml.sax.saxutils import escape

import psutil
import pytest
import requests

USER = "ada"
NAME_NODE, DATA_NODE = "org.apache.hadoop.hdfs.server.namenode.NameNode", "org.apache.hadoop.hdfs.server.datanode.DataNode"
LOGGING = """rootLogger.level = info
rootLogger.appenderRef.console.ref = console
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %c{1} %m%n
"""


class Hadoop:
    def __init__(self, place: pathlib.Path, jars: list[str]):
        self.place = place
        self.jars = jars
        self.port, self.web_port = _free_port(), _free_port()
        self.configuration = place / "conf"
        self.configuration.mkdir()
        self._configure("core-site.xml", {"fs.defaultFS": f"hdfs://127.0.0.1:{self.port}", "hadoop.tmp.dir": place / "files"})
        self._configure("hdfs-site.xml", {"dfs.replication": 1, "dfs.namenode.http-address": f"127.0.0.1:{self.web_port}", "dfs.datanode.address": "127.0.0.1:0",
                                          "dfs.datanode.http.address": "127.0.0.1:0", "dfs.datanode.ipc.address": "127.0.0.1:0", "dfs.namenode.fs-limits.min-block-size": 1024})
        (self.configuration / "log4j2.properties").write_text(LOGGING)
        subprocess.run(self._command(NAME_NODE, "-format", "-nonInteractive"), check=True, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.name_node = self._start(NAME_NODE)
        self.data_node = self._start(DATA_NODE)
        self._wait()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def _configure(self, name: str, values: dict[str, object]) -> None:
        properties = "".join(f"<property><name>{key}</name><value>{escape(str(value))}</value></property>" for key, value in values.items())
        (self.configuration / name).write_text(f"<configuration>{properties}</configuration>")

    def _command(self, main: str, *arguments: str) -> list[str]:
        java = os.path.join(os.environ["JAVA_HOME"], "bin", "java")
        return [java, "-Xmx256m", f"-DHADOOP_USER_NAME={USER}", "-cp", ":".join([str(self.configuration), *self.jars]), main, *arguments]

    def _start(self, main: str) -> psutil.Popen:
        with open(self.place / f"{main.rpartition('.')[2]}.log", "ab") as log:
            return psutil.Popen(self._command(main), cwd=self.place, stdout=log, stderr=log, env=dict(os.environ, HADOOP_USER_NAME=USER))

    def _wait(self) -> None:
        """Until both take a file: the data node needs some seconds to make itself known."""
        end = time.monotonic() + 120
        while True:
            with contextlib.suppress(requests.RequestException):
                self.put("/ready", b"x")
                return
            assert time.monotonic() < end and self.name_node.is_running(), (self.place / "NameNode.log").read_text()[-4000:]
            time.sleep(0.2)

    def _call(self, method: str, path: str, **parameters: object) -> requests.Response:
        url = f"http://127.0.0.1:{self.web_port}/webhdfs/v1{quote(path)}"
        answer = requests.request(method, url, params={"user.name": USER, **parameters}, timeout=30)
        answer.raise_for_status()
        return answer

    def put(self, path: str, content: bytes, **more: object) -> str:
        """Gives its URL. `more` are the parameters of CREATE, such as blocksize."""
        where = self._call("PUT", path, op="CREATE", noredirect="true", overwrite="true", **more).json()["Location"]
        requests.put(where, data=content, timeout=60).raise_for_status()
        return f"hdfs://{self.host}{path}"

    def touch(self, path: str) -> None:
        """It gets another time of its last change, which the name node alone sees to."""
        self._call("PUT", path, op="SETTIMES", modificationtime=1_000)

    def permit(self, path: str, mode: str) -> None:
        self._call("PUT", path, op="SETPERMISSION", permission=mode)

    def stop(self) -> None:
        for process in (self.data_node, self.name_node):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
            process.wait(30)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextlib.contextmanager
def running():
    """One that is stopped at the end. HDFS's own part is a download of set-up's, the rest of Hadoop comes with PySpark."""
    jar, spark = os.environ.get("ORCHESTRA_HADOOP_JAR", ""), os.environ.get("ORCHESTRA_SPARK_PYTHON", "")
    if not (jar and spark):
        pytest.skip("there is no Hadoop: ./orchestra test fetches it")
    jars = [jar, *glob.glob(os.path.join(os.path.dirname(os.path.dirname(spark)), "lib/python*/site-packages/pyspark/jars/*.jar"))]
    with tempfile.TemporaryDirectory(prefix="orchestra-hadoop-") as made, contextlib.ExitStack() as ending:
        hadoop = Hadoop(pathlib.Path(made), jars)
        ending.callback(hadoop.stop)
        yield hadoop
