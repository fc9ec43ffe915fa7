"""Who may connect: tokens, addresses beyond loopback, names of the server; and what its requests may lead to then."""

import os
import re
import stat
import subprocess

import httpx
import pytest

from support import BINARY, HOME, PREFIX, FileServer, Server, eventually, serving

OPEN = ("/health", "/ready")


def token_of(owner, file):
    made = subprocess.run([BINARY, "token", owner, "--file", file], capture_output=True, text=True, check=True)
    return made.stdout.strip()


def client(server, token, host=None):
    headers = {"Authorization": f"Bearer {token}"} | ({"Host": host} if host else {})
    return httpx.Client(base_url=server.url, headers=headers, timeout=60, verify=False)


def refused(tmp_path, *options):
    """What a server says that does not start so."""
    command = [BINARY, "serve", "--port", "0", "--data", tmp_path / "refused", *options]
    ended = subprocess.run(command, env=dict(os.environ, ORCHESTRA_HOME=str(HOME)), capture_output=True, text=True, timeout=60)
    assert ended.returncode not in (0, None)
    return ended.stdout + ended.stderr


def orchestra(*arguments, token="", **variables):
    environment = dict(os.environ, ORCHESTRA_HOME=str(HOME), ORCHESTRA_TOKEN=token, **variables)
    return subprocess.run([BINARY, *arguments], env=environment, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("guarded")
    file = folder / "tokens"
    token = token_of("ada", file)
    options = ("--host", "0.0.0.0", "--token-file", file, "--behind-proxy", "--allowed-host", "orchestra.example.org")
    with Server(folder / "data", *options) as server:
        server.http.headers["Authorization"] = f"Bearer {token}"
        server.token, server.token_file = token, file
        yield server


def test_a_token_is_printed_once_and_kept_nowhere(tmp_path):
    file = tmp_path / "tokens"
    first, second = token_of("ada", file), token_of("bob", file)
    assert first != second and len(first) > 40
    lines = file.read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["ada", "bob"]
    assert all(re.fullmatch(r"\w+ sha256:[0-9a-f]{64}", line) for line in lines)
    assert first not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    bad = orchestra("token", "a/b")
    assert bad.returncode != 0 and "a/b" in bad.stderr and not bad.stdout


def test_every_route_but_two_asks_for_a_token(guarded):
    routes = [(verb.upper(), path) for path, verbs in guarded.http.get("/openapi.json").json()["paths"].items() for verb in verbs
              if verb in ("get", "post", "patch", "delete")]
    assert len(routes) > 50
    with httpx.Client(base_url=guarded.url, verify=False) as stranger:
        for verb, path in routes:
            answer = stranger.request(verb, re.sub(r"\{\w+\}", "x", path))
            if path in OPEN:
                assert answer.status_code == 200, path
            else:
                assert answer.status_code == 401, (verb, path, answer.text)
                assert answer.headers["WWW-Authenticate"].startswith("Bearer")
                assert "token" in answer.json()["detail"]


def test_with_a_token_steps_are_made_and_seen(guarded):
    assert guarded.function("mine", "print('hello')\nresponse = 1").status_code == 201
    assert guarded.finished("mine")["status"] == "finished"
    with client(guarded, guarded.token[:-1] + ("0" if guarded.token[-1] != "0" else "1")) as wrong:
        assert wrong.get(PREFIX + "/step/mine").status_code == 401
        assert wrong.delete(PREFIX + "/function/python/mine").status_code == 401
    assert guarded.step("mine")["status"] == "finished"


def test_the_token_is_in_no_file_and_no_log(guarded):
    guarded.function("asked", "response = 1")
    guarded.finished("asked")
    secret = guarded.token.encode()
    for path in guarded.data.parent.rglob("*"):
        assert not (path.is_file() and secret in path.read_bytes()), path


def test_only_listed_names_are_answered_to(guarded):
    def status(host):
        with client(guarded, guarded.token, host) as named:
            return named.get("/ready").status_code

    assert status("orchestra.example.org") == 200
    assert status("orchestra.example.org:8443") == 200
    assert status("evil.example.org") == 403


@pytest.fixture(scope="module")
def url():
    """Of a server on this machine."""
    with FileServer(serving({"/table.csv": b"a\n1\n", "/code.py": b"response = 1"})) as files:
        yield files.url


def test_urls_lead_to_no_private_network(guarded, url):
    refused = [guarded.post("/dataset/csv", {"datasetName": "inside", "datasetURI": f"{url}/table.csv"}), guarded.function("inside", f"{url}/code.py")]
    assert all(answer.status_code == 406 and "private network" in answer.text for answer in refused)
    named = url.replace("127.0.0.1", "localhost")  # where it leads to is known when it is connected to
    assert guarded.post("/dataset/csv", {"datasetName": "table", "datasetURI": f"{named}/table.csv"}).status_code == 201
    assert guarded.function("code", f"{named}/code.py").status_code == 201
    assert all("private network" in guarded.ended(name)["exception"] for name in ("table", "code"))


def test_private_networks_that_are_allowed(tmp_path, url):
    file = tmp_path / "tokens"
    token = token_of("ada", file)
    with Server(tmp_path / "data", "--token-file", file, "--allow-url", "127.0.0.0/8") as server:
        server.http.headers["Authorization"] = f"Bearer {token}"
        assert server.post("/dataset/csv", {"datasetName": "inside", "datasetURI": f"{url}/table.csv"}).status_code == 201
        server.finished("inside")
        server.function("code", f"{url}/code.py")
        server.finished("code")


def test_the_command_line_brings_the_token(guarded):
    guarded.function("listed", "response = 1")
    guarded.finished("listed")
    assert "listed" in orchestra("ls", "--server", guarded.url, token=guarded.token).stdout
    without = orchestra("ls", "--server", guarded.url)
    assert without.returncode != 0 and "token" in without.stderr
    wrong = orchestra("ls", "--server", guarded.url, token="wrong")
    assert wrong.returncode != 0 and "token" in wrong.stderr


def log_says(server, text):
    """Waits until the server's log has it."""
    eventually(lambda: text in server.log_path.read_text(errors="replace"))


def test_tokens_are_given_and_withdrawn_while_the_server_runs(tmp_path):
    file = tmp_path / "tokens"
    first = token_of("ada", file)
    with Server(tmp_path / "data", "--token-file", file) as server:
        second = token_of("bob", file)
        with client(server, first) as ada, client(server, second) as bob:
            eventually(lambda: bob.get(PREFIX + "/step").status_code == 200)
            file.write_text("ada damaged\n")
            log_says(server, "the tokens stay as they were")
            assert ada.get(PREFIX + "/step").status_code == bob.get(PREFIX + "/step").status_code == 200
            file.unlink()
            third = token_of("cyd", file)
            eventually(lambda: ada.get(PREFIX + "/step").status_code == 401)
            assert bob.get(PREFIX + "/step").status_code == 401
        with client(server, third) as cyd:
            assert cyd.get(PREFIX + "/step").status_code == 200
        assert "damaged" not in server.log_path.read_text()


def test_a_step_is_whose_token_it_came_with(tmp_path):
    file = tmp_path / "tokens"
    ada, bob = token_of("ada", file), token_of("bob", file)
    flow = {"name": "flow", "steps": [{"service": "function/python", "name": "inflow", "function": "response = 1"}]}
    with Server(tmp_path / "data", "--token-file", file) as server, client(server, bob) as other:
        server.http.headers["Authorization"] = f"Bearer {ada}"
        assert server.function("plain", "response = 1", labels={"team": "x"}).status_code == 201
        assert server.step("plain")["labels"] == {"team": "x", "owner": "ada"}
        assert server.function("same", "response = 1", labels={"owner": "ada"}).status_code == 201
        refused = server.function("foreign", "response = 1", labels={"owner": "bob"})
        assert refused.status_code == 403 and refused.json()["errors"][0]["pointer"] == "/labels/owner" and "bob" in refused.text
        assert server.get("/step/foreign").status_code == 404
        assert server.http.patch(PREFIX + "/function/python/plain", json={"labels": {"owner": "bob"}}).status_code == 403
        uploaded = server.http.post(PREFIX + "/dataset/csv", params={"datasetName": "sent", "labels": '{"owner": "bob"}'}, content=b"a\n1\n",
                                    headers={"Content-Type": "text/csv"})
        assert uploaded.status_code == 403
        foreign = flow | {"steps": [flow["steps"][0] | {"labels": {"owner": "bob"}}]}
        assert "/steps/0/labels/owner" in server.post("/workflow", foreign).text
        assert server.post("/workflow", flow).status_code == 201
        assert server.step("inflow")["labels"] == {"owner": "ada"}
        exported = other.get(PREFIX + "/workflow/flow/export?format=json").json()
        assert "labels" not in exported["steps"][0]
        assert other.post(PREFIX + "/workflow", json=exported).status_code == 200
        assert server.step("inflow")["labels"] == {"owner": "ada"}


def test_contexts_keep_servers_by_name(guarded, tmp_path):
    (tmp_path / "token").write_text(guarded.token + "\n")

    def run(*arguments):
        return orchestra(*arguments, XDG_CONFIG_HOME=str(tmp_path))

    guarded.function("seen", "response = 1")
    guarded.finished("seen")
    assert "local" in run("context").stdout
    assert run("context", "add", "lab", guarded.url + "/", "--token-from", tmp_path / "token").returncode == 0
    listed = run("context").stdout
    assert "lab" in listed and guarded.url in listed and guarded.token not in listed
    kept = tmp_path / "learning-orchestra" / "contexts.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600 and guarded.token in kept.read_text()
    assert "seen" in run("ls").stdout
    assert run("context", "use", "local").returncode == 0
    assert "seen" in run("ls", "--server", "lab").stdout
    unknown = run("ls", "--server", "lob")
    assert unknown.returncode == 2 and '"lob"' in unknown.stderr
    for wrong in (["use", "lob"], ["rm", "lob"], ["add", "a/b", guarded.url], ["add", "local", guarded.url], ["add", "lob", "lab.example.org"],
                  ["add", "lob", guarded.url, "--token-from", tmp_path / "none"]):
        refused = run("context", *wrong)
        assert refused.returncode == 2 and refused.stderr.startswith("orchestra: "), wrong
    assert run("context", "rm", "lab").returncode == 0
    assert guarded.token not in kept.read_text()


def test_what_is_missing_is_named(tmp_path):
    file = tmp_path / "tokens"
    token_of("ada", file)
    assert "--token-file" in refused(tmp_path, "--host", "0.0.0.0")
    assert "--behind-proxy" in refused(tmp_path, "--host", "0.0.0.0", "--token-file", file)
    assert "--token-file" in refused(tmp_path, "--token-file", tmp_path / "missing")
    (tmp_path / "empty").write_text("# nobody\n")
    assert "no token" in refused(tmp_path, "--token-file", tmp_path / "empty")
    (tmp_path / "damaged").write_text("ada secret\n")
    said = refused(tmp_path, "--token-file", tmp_path / "damaged")
    assert "line 1" in said and "secret" not in said
    assert "--allow-url" in refused(tmp_path, "--allow-url", "10.0.0.0/33")
    assert "--allowed-host" in refused(tmp_path, "--allowed-host", "a/b")
