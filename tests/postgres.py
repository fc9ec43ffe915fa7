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
    """A database cluster in `place`, which listens at `host` to its neighbours. `settings` are for its command line, "name=value"; `before` is what its
    commands are run by."""

    def __init__(self, place: pathlib.Path, programs: str, *settings: str, host: str = "127.0.0.1", before: tuple[str, ...] = ()):
        self.place = place
        self.programs = programs
        self.settings = settings
        self.host = host
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.before = [*before, *self._as_somebody()]

    def make(self) -> None:
        (self.place / "password").write_text(PASSWORD)
        (self.place / "password").chmod(0o644)
        self._run("initdb", "-U", "ada", "-E", "UTF8", "--locale=C", "--auth=scram-sha-256", f"--pwfile={self.place / 'password'}", "--no-sync")
        with open(self.place / "data" / "pg_hba.conf", "a") as hosts:
            hosts.write("host all all samenet scram-sha-256\n")

    def make_standby_of(self, primary: Postgres) -> None:
        """A copy of it as it is now, which then follows it."""
        self._run("pg_basebackup", "-h", "127.0.0.1", "-p", str(primary.port), "-U", "ada", "-R", "--no-sync", "--checkpoint=fast", PGPASSWORD=PASSWORD)

    def promote(self) -> None:
        """Returns once it takes writes."""
        self._run("pg_ctl", "-w", "promote")

    def _as_somebody(self) -> list[str]:
        """What runs a command as its owner: PostgreSQL does not run as root."""
        if os.geteuid() != 0:
            return []
        nobody = pwd.getpwnam("nobody")
        os.chown(self.place, nobody.pw_uid, nobody.pw_gid)
        return ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]

    def _run(self, tool: str, *arguments: str, **variables: str) -> None:
        subprocess.run([*self.before, os.path.join(self.programs, tool), "-D", self.place / "data", *arguments], check=True, cwd="/",
                       env=dict(os.environ, **variables), stdout=subprocess.DEVNULL)

    def start(self) -> None:
        """Returns once it takes connections."""
        settings = " ".join(f"-c {each}" for each in (f"listen_addresses={self.host}", "fsync=off", *self.settings))
        self._run("pg_ctl", "-o", f"-p {self.port} -k {self.place} {settings}", "-l", str(self.place / "log"), "-w", "start")

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
        done = subprocess.run([os.path.join(self.programs, "psql"), "-h", self.host, "-p", str(self.port), "-U", "ada", "-At", "-c", text, database],
                              env=environment, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def url(self, database: str, password: str = QUOTED) -> str:
        return f"postgresql://ada:{password}@{self.host}:{self.port}/{database}"


def programs() -> str:
    """Their folder; the test is skipped where the machine has none."""
    found = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin/pg_ctl"), reverse=True)), None) or shutil.which("pg_ctl")
    if found is None:
        pytest.skip("there is no PostgreSQL on this machine")
    return os.path.dirname(os.path.realpath(found))


@contextlib.contextmanager
def running(**options):
    """One that is stopped at the end. `options` are Postgres's."""
    with tempfile.TemporaryDirectory(prefix="orchestra-postgres-") as made:
        server = Postgres(pathlib.Path(made), programs(), **options)
        server.make()
        server.start()
        try:
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def running_pair():
    """A primary whose commits wait for its standby, and the standby."""
    tools = programs()
    with tempfile.TemporaryDirectory(prefix="orchestra-postgres-") as first, tempfile.TemporaryDirectory(prefix="orchestra-postgres-") as second:
        primary, standby = Postgres(pathlib.Path(first), tools, "synchronous_standby_names=*"), Postgres(pathlib.Path(second), tools)
        primary.make()
        try:
            primary.start()
            standby.make_standby_of(primary)
            standby.start()
            yield primary, standby
        finally:
            standby.stop()
            primary.stop()
