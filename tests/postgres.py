"""A PostgreSQL of the tests' own, which they can kill. It asks for a password."""

from __future__ import annotations

import contextlib
import glob
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile

import psutil
import pytest

PASSWORD = "ses@me/opens"
QUOTED = "ses%40me%2Fopens"


class Postgres:
    def __init__(self, place: pathlib.Path, programs: str):
        self.place = place
        self.programs = programs
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.before = self._as_somebody()
        (place / "password").write_text(PASSWORD)
        (place / "password").chmod(0o644)
        self._run("initdb", "-U", "ada", "-E", "UTF8", "--locale=C", "--auth=scram-sha-256", f"--pwfile={place / 'password'}", "--no-sync")
        self.start()

    def _as_somebody(self) -> list[str]:
        """What runs a command as its owner: PostgreSQL does not run as root."""
        if os.geteuid() != 0:
            return []
        nobody = pwd.getpwnam("nobody")
        os.chown(self.place, nobody.pw_uid, nobody.pw_gid)
        return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]

    def _run(self, tool: str, *arguments: str) -> None:
        subprocess.run([*self.before, os.path.join(self.programs, tool), "-D", self.place / "data", *arguments], check=True, cwd="/", stdout=subprocess.DEVNULL)

    def start(self) -> None:
        """Returns once it takes connections."""
        self._run("pg_ctl", "-o", f"-p {self.port} -k {self.place} -c listen_addresses=127.0.0.1 -c fsync=off", "-l", str(self.place / "log"), "-w", "start")

    def stop(self) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self._run("pg_ctl", "-m", "immediate", "-w", "stop")

    def kill(self) -> None:
        """kill -9 of all its processes, at once."""
        main = psutil.Process(int((self.place / "data" / "postmaster.pid").read_text().split()[0]))
        main.suspend()  # it must not begin others meanwhile
        processes = [*main.children(recursive=True), main]
        for process in processes:
            process.send_signal(signal.SIGKILL)
        psutil.wait_procs(processes, timeout=30)

    def sql(self, text: str, database: str = "postgres") -> str:
        environment = dict(os.environ, PGPASSWORD=PASSWORD)
        done = subprocess.run([os.path.join(self.programs, "psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "ada", "-At", "-c", text, database],
                              env=environment, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def url(self, database: str, password: str = QUOTED) -> str:
        return f"postgresql://ada:{password}@127.0.0.1:{self.port}/{database}"


@contextlib.contextmanager
def running():
    """One that is stopped at the end; the test is skipped where the machine has none to start."""
    found = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin/pg_ctl"), reverse=True)), None) or shutil.which("pg_ctl")
    if found is None:
        pytest.skip("there is no PostgreSQL on this machine")
    with tempfile.TemporaryDirectory(prefix="orchestra-postgres-") as made:
        server = Postgres(pathlib.Path(made), os.path.dirname(os.path.realpath(found)))
        try:
            yield server
        finally:
            server.stop()
