"""./orchestra itself: what it refuses, what it leaves behind, and that it does nothing twice.

Each test has a clone of its own, with nothing in it but the script, and a cache of its own.
"""

import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import time
import zipfile

import psutil
import pytest

HOME = pathlib.Path(__file__).resolve().parent.parent
TOOLS = "awk bash cat cut dirname env flock grep head mkdir mktemp readlink rm sed sha256sum sort tail tr".split()
DEBIAN = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
FEDORA = 'ID=fedora\nVERSION_ID=40\nPRETTY_NAME="Fedora Linux 40"\n'


class Clone:
    """A clone and a machine whose system, programs and headers are what the test says."""

    def __init__(self, folder):
        self.home = folder / "clone"
        self.cache = folder / "cache"
        self.programs = folder / "programs"
        self.system = folder / "os-release"
        self.programs.mkdir()
        self.home.mkdir()
        shutil.copy(HOME / "orchestra", self.home)
        shutil.copytree(HOME / "setup", self.home / "setup")
        (self.home / "environments").mkdir()
        self.variables = {"HOME": str(folder), "ORCHESTRA_CACHE": str(self.cache)}

    def on_other_machine(self, system):
        self.system.write_text(system)
        for tool in TOOLS:
            (self.programs / tool).symlink_to(shutil.which(tool))
        self.program("uname", "echo Linux x86_64")
        self.variables |= {
            "PATH": str(self.programs),
            "ORCHESTRA_OS_RELEASE": str(self.system),
            "ORCHESTRA_INCLUDE_PATH": str(self.programs),
            "ORCHESTRA_DEBIAN_JAVA": str(self.programs),
        }

    def on_this_machine(self):
        self.variables |= {"PATH": os.environ["PATH"]}

    def program(self, name, text):
        path = self.programs / name
        path.write_text(f"#!{shutil.which('bash')}\n{text}\n")
        path.chmod(0o755)

    def start(self, *arguments):
        return subprocess.Popen(
            [self.home / "orchestra", *arguments],
            env=self.variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )

    def run(self, *arguments):
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def environments(self):
        return sorted(path.name for path in (self.cache / "environments").glob("[!.]*"))

    def untouched(self):
        return not self.cache.exists() and not (self.home / "build").exists()


def packages(list="debian-packages"):
    lines = (HOME / "setup" / f"{list}.txt").read_text().splitlines()
    return [line.split()[0] for line in lines if line and not line.startswith("#")]


def wheel(folder, version="1"):
    """A package `tiny`, and the lock file line that asks for it."""
    path = folder / f"tiny-{version}-py3-none-any.whl"
    info = f"tiny-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tiny.py", f"version = {version!r}\n")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", "[console_scripts]\ntiny = tiny:print\n")
        archive.writestr(f"{info}/RECORD", "")
    return f"{path} --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


def wait_until_making(clone):
    while not any((clone.cache / "environments" / ".making").glob("*/tiny/bin")):
        time.sleep(0.01)


def group(leader):
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == leader:
                found.append(process)
        except ProcessLookupError:
            pass
    return found


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


@pytest.fixture
def tiny(clone, tmp_path):
    """A clone on this machine with one environment, `tiny`, that needs no network."""
    clone.on_this_machine()
    line = wheel(tmp_path)
    (clone.home / "environments" / "tiny.in").write_text("# Download: 1 kB.\ntiny\n")
    (clone.home / "environments" / "tiny.lock").write_text(line)
    (clone.home / "environments" / "build.lock").write_text(line)
    return clone


def test_another_system_is_told_what_is_missing(clone):
    clone.on_other_machine(FEDORA)
    clone.program("ninja", "true")
    (clone.programs / "sqlite3.h").touch()
    ended = clone.run("ls")
    assert ended.returncode == 2
    assert "Fedora Linux 40" in ended.stderr
    listed = [line.split()[0] for line in ended.stderr.splitlines() if line.startswith("  ")]
    assert listed == [name for name in packages() if name not in ("ninja-build", "libsqlite3-dev")]
    assert clone.untouched()


@pytest.mark.parametrize("command, lists", [("serve", ["debian-packages"]), ("run", ["debian-packages"]),
                                            ("test", ["debian-packages", "debian-packages-clang", "debian-packages-test"]),
                                            ("lint", ["debian-packages", "debian-packages-clang"])])
def test_clang_is_asked_for_only_by_those_who_work_on_it(clone, command, lists):
    clone.on_other_machine(FEDORA)
    ended = clone.run(command)
    assert ended.returncode == 2
    listed = [line.split()[0] for line in ended.stderr.splitlines() if line.startswith("  ")]
    assert listed == [name for list in lists for name in packages(list)]
    assert clone.untouched()


def test_an_unknown_system_is_refused(clone):
    clone.on_other_machine("")
    clone.system.unlink()
    ended = clone.run("ls")
    assert ended.returncode == 2
    assert clone.untouched()


def test_another_processor_is_refused(clone):
    clone.on_other_machine(DEBIAN)
    clone.program("uname", "echo Linux aarch64")
    ended = clone.run("ls")
    assert ended.returncode == 2
    assert "Linux aarch64" in ended.stderr
    assert clone.untouched()


@pytest.mark.parametrize("sudo", [None, "exit 1"], ids=["no sudo", "sudo refuses"])
def test_without_rights_the_command_to_give_is_shown(clone, sudo):
    clone.on_other_machine(DEBIAN)
    clone.program("id", "echo 1000")
    clone.program("dpkg-query", 'case ${@: -1} in mold | ccache) exit 1 ;; esac; echo installed')
    clone.program("apt-get", f"touch {clone.programs}/apt-was-here")
    if sudo:
        clone.program("sudo", sudo)
    ended = clone.run("ls")
    assert ended.returncode == 2
    command = "apt-get install --no-install-recommends ccache mold python3.11-venv openjdk-17-jre-headless"
    assert command in ended.stderr
    assert not (clone.programs / "apt-was-here").exists()
    assert clone.untouched()


def test_a_failed_installation_is_not_taken_for_done(clone):
    clone.on_other_machine(DEBIAN)
    clone.program("id", "echo 0")
    clone.program("dpkg-query", "exit 1")
    clone.program("apt-get", "echo no such package; exit 100")
    for _ in range(2):
        ended = clone.run("ls")
        assert ended.returncode != 0
        assert "no such package" in ended.stderr
    assert not list((clone.home / "build").glob("stamps/*"))
    assert not clone.cache.exists()


def test_an_environment_is_whole_and_made_once(tiny):
    first, second = tiny.run("environment", "tiny"), tiny.run("environment", "tiny")
    assert first.returncode == 0, first.stderr
    assert "making the environment tiny" in first.stderr
    assert second.stderr == ""
    assert first.stdout == second.stdout
    python = pathlib.Path(first.stdout.strip())
    assert subprocess.check_output([python, "-c", "import tiny; print(tiny.version)"], text=True) == "1\n"
    assert (python.parent / "tiny").read_text().startswith(f"#!{python}\n")
    assert tiny.environments() == [python.parent.parent.name]


def test_a_new_lock_file_makes_a_new_environment(tiny, tmp_path):
    old = tiny.run("environment", "tiny").stdout.strip()
    line = wheel(tmp_path, "2")
    (tiny.home / "environments" / "tiny.lock").write_text(line)
    (tiny.home / "environments" / "build.lock").write_text(line)
    new = tiny.run("environment", "tiny").stdout.strip()
    assert subprocess.check_output([new, "-c", "import tiny; print(tiny.version)"], text=True) == "2\n"
    assert subprocess.check_output([old, "-c", "import tiny; print(tiny.version)"], text=True) == "1\n"


def test_a_wrong_hash_leaves_nothing(tiny):
    lock = tiny.home / "environments" / "tiny.lock"
    lock.write_text(lock.read_text()[:-65] + "0" * 64 + "\n")
    ended = tiny.run("environment", "tiny")
    assert ended.returncode != 0
    assert "DO NOT MATCH THE HASHES" in ended.stderr
    assert tiny.environments() == []
    assert not (tiny.cache / "environments" / ".making").exists()


def test_what_a_killed_set_up_left_is_swept(tiny):
    killed = tiny.start("environment", "tiny")
    wait_until_making(tiny)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert tiny.environments() == []
    ended = tiny.run("environment", "tiny")
    assert ended.returncode == 0, ended.stderr
    assert not (tiny.cache / "environments" / ".making").exists()
    assert len(tiny.environments()) == 1


def test_a_pip_that_outlives_its_set_up_harms_no_other(tiny):
    killed = tiny.start("environment", "tiny")
    wait_until_making(tiny)
    for process in group(killed.pid):
        if process.name() == "bash":
            process.kill()  # what makes the environment goes on without them
    ended = tiny.run("environment", "tiny")
    assert ended.returncode == 0, ended.stderr
    python = ended.stdout.strip()
    assert subprocess.check_output([python, "-c", "import tiny; print(tiny.version)"], text=True) == "1\n"
    killed.communicate(timeout=120)
    assert len(tiny.environments()) == 1


def test_a_set_up_that_is_only_told_to_end_leaves_nothing_half(tiny):
    told = tiny.start("environment", "tiny")
    wait_until_making(tiny)
    told.terminate()
    told.communicate(timeout=120)
    ended = tiny.run("environment", "tiny")
    assert ended.returncode == 0, ended.stderr
    assert len(tiny.environments()) == 1


def test_two_at_once_make_it_once(tiny):
    both = [tiny.start("environment", "tiny") for _ in range(2)]
    ends = [process.communicate(timeout=120) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert ends[0][0] == ends[1][0]
    assert sum("making the environment" in err for _, err in ends) == 1


def test_an_unknown_environment_is_an_error(tiny):
    ended = tiny.run("environment", "absent")
    assert ended.returncode == 1
    assert "environments/absent.lock" in ended.stderr


def fetch(clone, name):
    """As ./orchestra test does it."""
    parts = "\n".join(f"source setup/{part}.sh" for part in ("common", "files"))
    script = f"set -euo pipefail\nexport ORCHESTRA_HOME=$PWD\ncache=$ORCHESTRA_CACHE\n{parts}\nfetch {name}\nfile_path {name}"
    return subprocess.run(["bash", "-c", script], cwd=clone.home, env=clone.variables, capture_output=True, text=True, timeout=120)


@pytest.fixture
def file(tmp_path):
    clone = Clone(tmp_path)
    clone.on_this_machine()
    source = tmp_path / "source"
    source.write_bytes(b"whole")
    (clone.home / "setup" / "files.txt").write_text(f"# SHA-256, name, address\n{hashlib.sha256(b'whole').hexdigest()} some.jar {source.as_uri()}\n")
    return clone, source


def test_a_file_is_downloaded_once(file):
    clone, source = file
    path = pathlib.Path(fetch(clone, "some.jar").stdout.strip())
    assert path.read_bytes() == b"whole" and path.is_relative_to(clone.cache)
    source.unlink()
    assert fetch(clone, "some.jar").returncode == 0


def test_a_file_that_is_not_what_it_should_be_is_not_kept(file):
    clone, source = file
    source.write_bytes(b"other")
    ended = fetch(clone, "some.jar")
    assert ended.returncode == 1 and "SHA-256" in ended.stderr and source.as_uri() in ended.stderr
    assert [path.name for path in (clone.cache / "files").rglob("*") if path.is_file()] == [".lock"]
    source.unlink()
    assert fetch(clone, "some.jar").returncode != 0
    assert "files.txt has no other.jar" in fetch(clone, "other.jar").stderr
