"""The builder on a Spark Connect server of somebody else's, which wants a token and outlives this one."""

import asyncio
import contextlib
import ssl
import subprocess
import threading
from urllib.parse import quote

import psutil
import pytest

import spark
from spark import ENDLESS, PATIENCE, SMALL, WITHOUT_END, build, load, refused, running_endpoint, until_phase
from support import Server, eventually
from test_doctor import doctor, of

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def endpoint():
    with running_endpoint() as running:
        yield running


@pytest.fixture(scope="module")
def token_file(endpoint, tmp_path_factory):
    path = tmp_path_factory.mktemp("token") / "token"
    path.write_text(endpoint.token + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def server(endpoint, token_file, tmp_path):
    with Server(tmp_path / "data", "--spark", endpoint.url, "--spark-token-file", str(token_file)) as started:
        load(started)
        yield started


def sessions(server):
    folder = server.data / "spark-sessions"
    return list(folder.iterdir()) if folder.is_dir() else []


def test_builder_steps_are_its_clients_and_nobody_reads_the_token(server, endpoint):
    (name,) = build(server, "client", "NB", code=SMALL + "import os; print(sorted(os.environ))\n")
    step = server.finished(name, PATIENCE)
    assert server.http.get("/ready").json()["runners"]["spark-server"] == {"state": "warm", "jobs": 0}
    processes = server.descendants()
    assert "java" not in [process.name() for process in processes]
    for secret in (endpoint.token, quote(endpoint.token, safe="")):
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                assert secret not in " ".join(process.cmdline()) + " ".join(process.environ().values())
        said = [str(step), server.get(f"/step/{name}/log").text, server.log(), *(path.read_text(errors="replace") for path in (server.data / "logs").rglob("*") if path.is_file())]
        assert not any(secret in text for text in said)
    eventually(lambda: sessions(server) == [])


@pytest.mark.parametrize("end", ["cancelled", "timeout"])
def test_a_step_that_is_stopped_leaves_nothing_running_there(server, endpoint, end):
    (name,) = build(server, "endless", "DT", code=ENDLESS, **({"timeout": 20} if end == "timeout" else {}))
    until_phase(server, name, "fitting")
    eventually(lambda: endpoint.running_tasks() > 0)
    assert len(sessions(server)) == 1
    if end == "cancelled":
        assert server.post(f"/step/{name}/cancel", {}).status_code == 200
    step = server.ended(name)
    assert end in (step["status"], step.get("reason"))
    eventually(lambda: endpoint.running_tasks() == 0)
    eventually(lambda: sessions(server) == [])


def test_a_killed_step_leaves_nothing_running_there(server, endpoint):
    (name,) = build(server, "killed", "DT", code=f"import os; print('pid', os.getpid(), flush=True)\n{ENDLESS}")
    until_phase(server, name, "fitting")
    eventually(lambda: endpoint.running_tasks() > 0)
    psutil.Process(int(server.get(f"/step/{name}/log").text.split()[1])).kill()
    assert server.ended(name)["reason"] == "killed"
    eventually(lambda: endpoint.running_tasks() == 0)


def test_what_a_killed_server_left_there_is_ended_by_the_next(server, endpoint, tmp_path):
    code = f"import os\nagain = os.path.exists({str(tmp_path / 'begun')!r})\nopen({str(tmp_path / 'begun')!r}, 'w').close()\n{SMALL}if not again:\n    {WITHOUT_END}"
    (name,) = build(server, "survivor", "DT", code=code)
    until_phase(server, name, "fitting")
    eventually(lambda: endpoint.running_tasks() > 0)
    (session,) = sessions(server)
    assert session.read_text() == f"{endpoint.url}\n"
    server.kill()
    assert endpoint.running_tasks() > 0  # of which nobody there knows that its client is gone
    server.start()
    assert server.finished(name, PATIENCE)["attempts"] == 2
    eventually(lambda: endpoint.running_tasks() == 0)
    eventually(lambda: sessions(server) == [])


def test_bad_configuration_is_refused_at_the_start(endpoint, token_file, tmp_path):
    data = ("--data", tmp_path / "data")
    url = endpoint.url
    assert f"{url} (--spark) wants a token" in refused(*data, "--spark", url)
    wrong = refused(*data, ORCHESTRA_SPARK=f"{url}/;token=sesame")
    assert f"{url} (--spark) refuses the token" in wrong and "sesame" not in wrong
    nobody = f"sc://127.0.0.1:{spark.free_port()}"
    assert f"{nobody} (--spark) cannot be reached" in refused(*data, "--spark", nobody)
    two = refused(*data, "--spark", f"{url}/;token=sesame", "--spark-token-file", token_file)
    assert "give one of them" in two and "sesame" not in two
    assert "(--spark-token-file) cannot be read" in refused(*data, "--spark", url, "--spark-token-file", tmp_path / "none")
    assert "--spark-token-file" in refused(*data, "--spark-token-file", token_file)
    malformed = refused(*data, "--spark", f"{url};tok=en=sesame")
    assert "--spark: " in malformed and "sesame" not in malformed
    assert not (tmp_path / "data" / "catalog.sqlite").exists()


def test_the_token_may_come_from_a_variable(endpoint, tmp_path, monkeypatch):
    monkeypatch.setenv("ORCHESTRA_SPARK", endpoint.url)
    monkeypatch.setenv("SPARK_CONNECT_AUTHENTICATE_TOKEN", endpoint.token)
    (tmp_path / "new").mkdir()
    level, _, says, _ = of(doctor("--data", tmp_path / "new"), "spark")
    assert level == "ok" and says.startswith(f"{endpoint.url}: Spark 4.")
    monkeypatch.setenv("SPARK_CONNECT_AUTHENTICATE_TOKEN", "sesame")
    level, _, says, todo = of(doctor("--data", tmp_path / "new", status=1), "spark")
    assert level == "broken" and "refuses the token" in says and "docs/spark.md" in todo


@contextlib.contextmanager
def tls_before(endpoint, folder):
    """The port of a proxy that speaks TLS to clients, as one before a Spark Connect server does, and its authority."""
    certificate, key = folder / "server.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", certificate,
                    "-keyout", key], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])

    async def pump(reader, writer):
        with contextlib.suppress(OSError):
            while block := await reader.read(65536):
                writer.write(block)
                await writer.drain()
        writer.close()

    async def serve(reader, writer):
        there, back = await asyncio.open_connection("127.0.0.1", endpoint.port)
        await asyncio.gather(pump(reader, back), pump(there, writer))

    loop = asyncio.new_event_loop()
    proxy = loop.run_until_complete(asyncio.start_server(serve, "127.0.0.1", 0, ssl=context))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield proxy.sockets[0].getsockname()[1], certificate
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def test_over_tls(endpoint, token_file, tmp_path, monkeypatch):
    with tls_before(endpoint, tmp_path) as (port, authority):
        options = ("--spark", f"sc://localhost:{port}/;use_ssl=true", "--spark-token-file", str(token_file))
        assert "does not answer" in refused("--data", tmp_path / "data", *options)  # its certificate is nobody's that is known
        monkeypatch.setenv("GRPC_DEFAULT_SSL_ROOTS_FILE_PATH", str(authority))
        with Server(tmp_path / "data", *options) as server:
            load(server)
            (name,) = build(server, "secret", "NB", code=SMALL)
            server.finished(name, PATIENCE)
