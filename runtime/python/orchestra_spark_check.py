"""Asks a Spark whether builder steps can use it. See "The question to a Spark" in PROTOCOL.md.

    python -I orchestra_spark_check.py

reads a JSON object from descriptor 3 until its end, answers with another, {"says": TEXT, "warning": TEXT} or {"error": TEXT}, and ends.
"""
import concurrent.futures
import contextlib
import importlib.metadata
import json
import os
import pathlib
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import orchestra_spark_server as server  # noqa: E402
from orchestra_spark_server import Refused  # noqa: E402

SOCKET = 3
REACH = 5.0  # seconds for a connection
START = 90.0  # for a server of our own
WORK = 60.0  # for something small: a cluster may have no core to spare
PAUSE = 0.1


def reach(host, port, name):
    try:
        socket.create_connection((host, port), REACH).close()
    except OSError as error:
        raise Refused(f"{name} cannot be reached: {host}:{port}: {error.strerror or error}") from None


def reach_any(masters, name):
    """A cluster may have masters that stand by."""
    failures = []
    for host, port in masters:
        try:
            return reach(host, port, name)
        except Refused as failure:
            failures.append(str(failure))
    raise Refused(failures[0])


def own_version():
    try:
        return importlib.metadata.version("pyspark")
    except importlib.metadata.PackageNotFoundError:
        raise Refused(f"no pyspark for {sys.executable} (--spark-python)") from None


def check_own(asked):
    """What a Spark server of our own needs. Raises Refused, FileNotFoundError."""
    version = own_version()
    server.jars()
    java = server.java()
    if asked["defaults"]:
        server.read_defaults(asked["defaults"])
    if server.is_cluster(asked["url"]):
        reach_any(server.masters(asked["url"]), asked["name"])
    return f"Spark {version} with {java}"


@contextlib.contextmanager
def own_server(asked):
    """The url and token of one that is started for the question."""
    with tempfile.TemporaryDirectory(prefix="orchestra-spark-") as folder, socket.socket() as free:
        free.bind((server.LOOPBACK, 0))
        port, token = free.getsockname()[1], secrets.token_hex(16)
        free.close()
        log = pathlib.Path(folder) / "log"
        line = [sys.executable, "-I", server.__file__, "--port", str(port), "--work-dir", folder, "--memory", asked["memory"]]
        for option, value in (("--master", asked["url"]), ("--defaults", asked["defaults"])):
            line += [option, value] if value else []
        with log.open("wb") as output:
            process = subprocess.Popen(line, env={**os.environ, server.SECRET: token}, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            await_port(process, port, log, asked["name"])
            yield f"sc://{server.LOOPBACK}:{port}", token
        finally:
            process.kill()
            process.wait()


def await_port(process, port, log, name):
    end = time.monotonic() + START
    while process.poll() is None and time.monotonic() < end:
        with contextlib.suppress(OSError):
            return socket.create_connection((server.LOOPBACK, port), REACH).close()
        time.sleep(PAUSE)
    said = [line for line in log.read_text(errors="replace").splitlines() if line and not line.startswith("\t")]
    raise Refused(f"{name} does not start: {said[-1] if said else 'it says nothing'}")


def check_connect(asked, url, token):
    """What a Connect server answers, and a warning or "". Raises Refused and what pyspark raises."""
    from orchestra_runtime import spark_session
    from orchestra_runtime.records import Spark

    with spark_session.opened(Spark(url, token, str(uuid.uuid4()), asked["name"]), retries=0) as session:
        version = session.version
        check_version(version, asked["name"])
        return f"Spark {version}", work_in_time(session, asked) if asked["thorough"] else ""


def check_version(theirs, name):
    ours = own_version()
    if theirs.partition(".")[0] != ours.partition(".")[0]:
        raise Refused(f"{name} is Spark {theirs}, which builder steps cannot speak to: theirs is {ours}")


def work_in_time(session, asked):
    """Why it could not be done, or "". Raises what `work` raises."""
    worker = concurrent.futures.ThreadPoolExecutor(1)
    try:
        worker.submit(work, session, asked).result(WORK)
    except TimeoutError:
        return f"it had no core to spare for {WORK:.0f} s, so nothing was run on it: a server that uses it now has them all, or it has no worker"
    finally:
        worker.shutdown(wait=False)
    return ""


def work(session, asked):
    """Something that executors have to do."""
    session.range(8).selectExpr("sum(id)").collect()
    seen = a_file(asked["store"])
    if seen is None:
        return
    try:
        session.read.text(f"file:{seen}").limit(1).collect()
    except Exception:
        raise Refused(f"{asked['name']} or one of its executors does not see {seen}: all of them need the results of this server (--store) at the same path, "
                      "as the same user") from None


def a_file(store):
    if not store:
        return None
    folder = pathlib.Path(store)
    return next((path for path in (folder / "catalog", *folder.glob("objects/*/*")) if path.is_file()), None)


def host_and_port(shown):
    host, colon, port = shown.removeprefix("sc://").rpartition(":")
    if not colon or port.endswith("]"):
        host, port = shown.removeprefix("sc://"), "15002"
    return host.strip("[]"), int(port)


def answer(asked):
    """The text that says what is there, and a warning or "". Raises what is wrong."""
    if asked["url"].startswith("sc://"):
        reach(*host_and_port(asked["shown"]), asked["name"])
        return check_connect(asked, asked["url"], asked["token"])
    says = check_own(asked)
    if not asked["thorough"]:
        return says, ""
    with own_server(asked) as (url, token):
        return says, check_connect(asked, url, token)[1]


def wrong(error, asked):
    """One line, without what may be secret."""
    text = str(error) if isinstance(error, (Refused, FileNotFoundError)) else explained(error)
    text = " ".join(text.split())
    return text.replace(asked["token"], "…") if asked["token"] else text


def explained(error):
    from orchestra_runtime import spark_session

    if not isinstance(error, spark_session.SparkUnavailable):
        return f"{type(error).__name__}: {error}"
    details = spark_session.details(error)
    return f"{error} ({details})" if details else str(error)


def main():
    with socket.socket(fileno=SOCKET) as ours:
        asked = json.loads(b"".join(iter(lambda: ours.recv(65536), b"")))
        try:
            said = dict(zip(("says", "warning"), answer(asked)))
        except Exception as error:
            said = {"error": wrong(error, asked)}
        ours.sendall(json.dumps(said).encode())
    os._exit(0)  # a thread may still wait for a core


if __name__ == "__main__":
    main()
