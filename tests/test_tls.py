"""TLS: the server's own, and what its clients check."""

import os
import ssl
import subprocess
import sys

import httpx
import pytest

from support import HOME, PREFIX, Server, eventually
from test_access import orchestra, refused, token_of


def certificate_of(folder, name, *names):
    """Files of a certificate that signs itself, and of its key."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}",
                    "-addext", "subjectAltName=" + ",".join(names), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def trusting(server, certificate):
    return httpx.Client(base_url=server.url, headers=dict(server.http.headers), timeout=60, verify=ssl.create_default_context(cafile=certificate))


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    folder = tmp_path_factory.mktemp("secure")
    file = folder / "tokens"
    token = token_of("ada", file)
    certificate, key = certificate_of(folder, "first", "DNS:localhost", "IP:127.0.0.1")
    options = ("--host", "0.0.0.0", "--token-file", file, "--tls-certificate", certificate, "--tls-key", key, "--allowed-host", "localhost")
    with Server(folder / "data", *options) as server:
        server.http.headers["Authorization"] = f"Bearer {token}"
        server.token, server.certificate, server.key, server.folder = token, certificate, key, folder
        yield server


def test_steps_are_made_over_tls_by_who_checks_the_certificate(secure):
    with trusting(secure, secure.certificate) as client:
        made = client.post(PREFIX + "/function/python", json={"name": "safe", "function": "print('hello')\nresponse = 'x' * 3_000_000"})
        assert made.status_code == 201
        secure.finished("safe")
        assert client.get(PREFIX + "/step/safe").json()["result"]["status"] == "finished"
        assert len(client.get(PREFIX + "/step/safe/artifact").content) > 3_000_000


def test_events_come_over_tls(secure):
    with trusting(secure, secure.certificate) as client:
        with client.stream("GET", PREFIX + "/observe/stream", params={"name": "told"}) as stream:
            secure.function("told", "response = 1")
            assert any('"finished"' in line for line in stream.iter_lines())


def test_http_in_the_clear_is_told_what_to_do(secure):
    answer = httpx.get(secure.url.replace("https", "http") + PREFIX + "/step")
    assert answer.status_code == 400 and "https" in answer.text


def test_the_command_line_checks_the_certificate(secure, tmp_path):
    secure.function("listed", "response = 1")
    secure.finished("listed")
    unknown = orchestra("ls", "--server", secure.url, token=secure.token)
    assert unknown.returncode == 2 and "certificate" in unknown.stderr
    assert "listed" in orchestra("ls", "--server", secure.url, token=secure.token, ORCHESTRA_CA=str(secure.certificate)).stdout
    assert "listed" in orchestra("ls", "--data", secure.data, token=secure.token, ORCHESTRA_CA=str(secure.certificate)).stdout
    (tmp_path / "token").write_text(secure.token)
    kept = orchestra("context", "add", "lab", secure.url, "--ca", secure.certificate, "--token-from", tmp_path / "token", XDG_CONFIG_HOME=str(tmp_path))
    assert kept.returncode == 0, kept.stderr
    assert "listed" in orchestra("ls", XDG_CONFIG_HOME=str(tmp_path)).stdout


def test_the_python_client_checks_the_certificate(secure):
    code = ("import sys; from learning_orchestra import Client\n"
            "print(Client(sys.argv[1], timeout=30).function.python('by_client', 'response = 42').result())")
    environment = dict(os.environ, PYTHONPATH=str(HOME / "clients" / "python" / "src"), ORCHESTRA_TOKEN=secure.token)
    command = [sys.executable, "-c", code, secure.url]
    unknown = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert unknown.returncode != 0 and "CERTIFICATE_VERIFY_FAILED" in unknown.stderr
    made = subprocess.run(command, env=environment | {"ORCHESTRA_CA": str(secure.certificate)}, capture_output=True, text=True, timeout=120)
    assert made.stdout.strip() == "42", made.stderr


def test_a_renewed_certificate_is_taken_up(tmp_path):
    first, second = certificate_of(tmp_path, "first", "IP:127.0.0.1"), certificate_of(tmp_path, "second", "IP:127.0.0.1")
    certificate, key = tmp_path / "live.pem", tmp_path / "live.key"
    for link, target in ((certificate, first[0]), (key, first[1])):
        link.symlink_to(target)

    def answers_to(trusted):
        try:
            with trusting(server, trusted) as client:
                return client.get("/health").status_code == 200
        except httpx.ConnectError:
            return False

    with Server(tmp_path / "data", "--tls-certificate", certificate, "--tls-key", key) as server:
        assert answers_to(first[0]) and not answers_to(second[0])
        for link, target in ((certificate, second[0]), (key, second[1])):
            moved = tmp_path / "moved"
            moved.symlink_to(target)
            moved.rename(link)
        eventually(lambda: answers_to(second[0]))
        assert not answers_to(first[0])
        certificate.unlink()
        certificate.write_text("damaged")
        eventually(lambda: "stay as they were" in server.log())
        assert answers_to(second[0])


def test_what_is_wrong_is_named(tmp_path):
    certificate, key = certificate_of(tmp_path, "first", "DNS:localhost")
    _, other = certificate_of(tmp_path, "second", "DNS:localhost")
    assert "--tls-key" in refused(tmp_path, "--tls-certificate", certificate)
    assert "--tls-certificate" in refused(tmp_path, "--tls-key", key)
    mismatch = refused(tmp_path, "--tls-certificate", certificate, "--tls-key", other)
    assert "--tls-key" in mismatch and "second.key" in mismatch
    assert "first.key is no certificate" in refused(tmp_path, "--tls-certificate", key, "--tls-key", key)
    assert "none.pem" in refused(tmp_path, "--tls-certificate", tmp_path / "none.pem", "--tls-key", key)
