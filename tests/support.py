"""A server process and the calls that tests make of it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable

import httpx
import psutil

HOME = pathlib.Path(__file__).resolve().parent.parent
BINARY = pathlib.Path(os.environ.get("ORCHESTRA_BINARY", HOME / "build" / "release" / "orchestra"))
PREFIX = "/api/learningOrchestra/v1"
TERMINAL = ("finished", "failed", "cancelled")
_numbers = itertools.count(1)


def unique(stem: str = "step") -> str:
    return f"{stem}_{next(_numbers)}"


def eventually(holds: Callable[[], bool], timeout: float = 60) -> None:
    """Returns once `holds()`, of which nothing tells."""
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server:
    """`orchestra serve` on a free port. Leaving the block ends it and checks that it left nothing behind."""

    def __init__(self, data: pathlib.Path, *options: str, faults: str = "", check: bool = True, through: tuple[str, ...] = (), port: int = 0,
                 host: str = "127.0.0.1", token: str = ""):
        self.host, self.token = host, token  # where it is reached, and by what
        self.port = port  # 0: any free one
        self.data = pathlib.Path(data)
        self.options = options
        self.through = through  # a command that becomes the server
        self.check = check
        self.process: subprocess.Popen | None = None
        self.http: httpx.Client | None = None
        self.start(faults)

    def start(self, faults: str = "") -> None:
        port_file = self.data.parent / f"port-{next(_numbers)}"
        environment = dict(os.environ, ORCHESTRA_HOME=str(HOME))
        environment.pop("ORCHESTRA_FAULTS", None)
        if faults:
            environment["ORCHESTRA_FAULTS"] = faults
        command = [*self.through, BINARY, "serve", "--port", str(self.port), "--data", self.data, "--port-file", port_file, "--grace", "1", *self.options]
        self.log_path = self.data.parent / "server.log"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, env=environment, stderr=log, stdout=log)
        port = self._read_port(port_file)
        scheme = "https" if "--tls-certificate" in self.options else "http"
        self.url = f"{scheme}://{self.host}:{port}"
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else None
        self.http = httpx.Client(base_url=self.url, headers=headers, timeout=60, verify=False)  # reading certificates takes 50 ms

    def _read_port(self, path: pathlib.Path) -> int:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if path.exists():
                return int(path.read_text())
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self.process.wait(0.005)
                raise RuntimeError(f"the server ended with status {status}: {self.log()}")
        raise TimeoutError("the server wrote no port")

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")[-4000:]

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is not None:  # pytest shows it with the failure
            status = self.process.poll()
            print(f"the server {'runs' if status is None else f'has ended with status {status}'}; its log ends so:\n{self.log()}")
        if self.process.poll() is None:
            self.stop()
        self.http.close()
        if self.check and error[0] is None:
            assert self.leftovers() == []

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def wait_for_death(self) -> int:
        return self.process.wait(60)

    def leftovers(self) -> list[str]:
        """Processes that a server with this data started and that are still there 10 s after its end, and folders of jobs."""
        gone, alive = psutil.wait_procs(self.descendants(), timeout=10)
        found = [" ".join(process.cmdline()[:3]) for process in alive if process.is_running()]
        run = self.data / "run"
        return found + ([str(path) for path in run.iterdir() if len(path.name) == 32] if run.is_dir() else [])

    def descendants(self) -> list[psutil.Process]:
        """Everything that has this server's data folder in its arguments or environment, and the server's own descendants."""
        found = {}
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.process.pid).children(recursive=True):
                found[child.pid] = child
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                if process.pid in (os.getpid(), self.process.pid):
                    continue
                text = " ".join(process.cmdline()) + " ".join(process.environ().values())
                if str(self.data) in text:
                    found[process.pid] = process
        return list(found.values())

    # --- calls ---

    def get(self, path: str, **query: object) -> httpx.Response:
        return self.http.get(PREFIX + path, params=query or None)

    def post(self, path: str, body: object, **headers: str) -> httpx.Response:
        return self.http.post(PREFIX + path, json=body, headers=headers)

    def patch(self, path: str, body: object) -> httpx.Response:
        return self.http.patch(PREFIX + path, json=body)

    def delete(self, path: str, **query: object) -> httpx.Response:
        return self.http.delete(PREFIX + path, params=query or None)

    def upload(self, name: str, content: bytes, **query: str) -> httpx.Response:
        return self.http.post(PREFIX + "/dataset/csv", params={"datasetName": name, **query}, content=content,
                              headers={"Content-Type": "text/csv"})

    def function(self, name: str, code: str, **more: object) -> httpx.Response:
        return self.post("/function/python", {"name": name, "function": code, **more})

    def made(self, path: str, body: dict) -> dict:
        """The step that a POST of `body` made, once it has finished."""
        answer = self.post(path, body)
        assert answer.status_code == 201, answer.text
        name = answer.headers["location"].rpartition("/")[2]
        return self.finished(name)

    def finished(self, name: str, timeout: float = 120) -> dict:
        """The step once it has ended, which must be well."""
        step = self.ended(name, timeout)
        assert step["status"] == "finished", step["exception"]
        return step

    def value(self, expression: str, **parameters: object) -> object:
        """What a Python expression gives in a step whose globals are `parameters`: something that JSON can say."""
        name = unique("value")
        self.function(name, f"import json\nprint('value', json.dumps({expression}))\nresponse = None", functionParameters=parameters)
        self.finished(name)
        lines = self.get(f"/step/{name}/log").text.splitlines()
        return json.loads(next(line for line in reversed(lines) if line.startswith("value "))[6:])

    def step(self, name: str) -> dict:
        answer = self.get(f"/step/{name}")
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    def ended(self, name: str, timeout: float = 120) -> dict:
        """The step once it has ended."""
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            assert left > 0, f"{name} has not ended: {self.step(name)['status']} {self.step(name)['wait']}"
            answer = self.http.get(f"{PREFIX}/observe/{name}", params={"wait": max(1, min(30, int(left)))}, timeout=60)
            assert answer.status_code == 200, answer.text
            step = self.step(name)
            if step["status"] in TERMINAL:
                return step

    def running(self, name: str, timeout: float = 60) -> dict:
        """The step once it runs and its attempt is on disk: a first one starts beside the commit that counts it."""
        return self.until(name, lambda step: step["status"] != "queued" and step["status"] != "waiting", timeout)

    def until(self, name: str, holds, timeout: float = 60) -> dict:
        """The step once `holds(step)`, looked at after each of its events."""
        deadline = time.monotonic() + timeout
        last = 0
        while time.monotonic() < deadline:
            step = self.step(name)
            if holds(step):
                return step
            last = self.http.get(f"{PREFIX}/observe/{name}", params={"wait": 1, "after": last}, timeout=60).json()["last"]
        raise AssertionError(f"{name}: {step}")

    def progress_until(self, name: str, holds, timeout: float = 120) -> None:
        """Returns once a progress event of the step holds."""
        deadline = time.monotonic() + timeout
        last = 0
        while time.monotonic() < deadline:
            answer = self.http.get(f"{PREFIX}/observe/{name}", params={"wait": 5, "after": last}, timeout=60).json()
            if any(holds(event["progress"]) for event in answer["events"] if event["event"] == "progress"):
                return
            last = max([last, *(event["id"] for event in answer["events"])])
        raise AssertionError(f"{name} made no such progress")

    def log_until(self, name: str, text: str, timeout: float = 60) -> None:
        """Returns once the step's log holds `text`."""
        with self.http.stream("GET", f"{PREFIX}/step/{name}/log", params={"follow": "true"}, timeout=timeout) as answer:
            seen = ""
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    seen += json.loads(line[6:]).get("text", "")
                if text in seen:
                    return
        raise AssertionError(f"the log of {name} ended without {text!r}: {seen[-500:]}")

    def rows(self, name: str, **query: object) -> list[dict]:
        answer = self.get(f"/dataset/csv/{name}", **query)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"][1:] if "query" not in query else answer.json()["result"]


def events(answer: httpx.Response):
    """(id, event, data) of a stream, as they come."""
    event = {}
    for line in answer.iter_lines():
        if line == "":
            if "data" in event:
                yield event.get("id"), event.get("event"), json.loads(event["data"])
            event = {}
        elif not line.startswith(":"):
            key, _, value = line.partition(": ")
            event[key] = value


class FileServer:
    """An HTTP server on loopback whose answers a test writes itself."""

    def __init__(self, handler):
        import http.server

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                handler(self)

            do_HEAD = do_GET

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.server.shutdown()
        self.server.server_close()


def serving(files: dict[str, bytes]):
    """A handler for FileServer that has these files, by path."""

    def handler(request):
        content = files.get(request.path)
        request.send_response(200 if content is not None else 404)
        request.send_header("Content-Length", str(len(content or b"")))
        request.end_headers()
        request.wfile.write(content or b"")

    return handler


class Gate:
    """Holds a step of user code back until it is opened: `gate.code` waits where it stands."""

    def __init__(self, folder: pathlib.Path):
        self.path = folder / unique("gate")
        os.mkfifo(self.path)
        self.code = f"print('at the gate', flush=True); open({str(self.path)!r}).read()\n"

    def open(self) -> None:
        """Waits until the step is there."""
        self.path.write_text("go")
