"""Operation environment: packages of the user's own, on top of those of the environment that this process runs in.

What is asked for is resolved first, without installing; the resolved versions and their digests are the lock, and its digest names the
environment. One that is there already is shared. Layout: `<environments>/<digest>` is a virtual environment that sees the base's packages
through a .pth file, and `environment.json` in it, written last.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from orchestra_runtime import references, wheels
from orchestra_runtime.job import Job
from orchestra_runtime.records import Manifest
from orchestra_runtime.refusals import BadRequest

DESCRIPTION = "environment.json"
_PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]


class CannotMake(RuntimeError):
    """pip found no way, or the installation broke off. The log has all of it."""


def run(job: Job) -> None:
    (member,) = job.members
    folder = Path(job.environments or "")
    with tempfile.TemporaryDirectory() as scratch:
        requirements = _requirements(job, member.request["requirements"], Path(scratch))
        job.progress(member.name, {"phase": "resolving"})
        lock = _resolve(requirements, _index(member.request), Path(scratch))
        digest = _digest(lock)
        made = _find(folder, digest)
        if made is None:
            job.progress(member.name, {"phase": "installing", "packages": len(lock)})
            made = _install(folder, digest, lock, _index(member.request))
    shutil.copyfile(folder / digest / DESCRIPTION, member.staging / DESCRIPTION)
    facts = {"packages": {each["name"]: each["version"] for each in lock}, "environmentDigest": digest, "modules": made["modules"]}
    job.finish(member.name, Manifest("environment", (DESCRIPTION,), digest), facts)


# --- What is asked for ---


def _requirements(job: Job, asked: Iterable[str], scratch: Path) -> list[str]:
    """As pip takes them: "$name" is a stored wheel, under the name that a wheel must have."""
    found = []
    for index, each in enumerate(asked):
        if references.is_reference(each):
            reference = references.parse(each)
            found.append(str(wheels.copy(job.input(reference.name), scratch, f"requirements[{index}]")))
        elif each.lstrip().startswith("-"):
            raise BadRequest(f"requirements[{index}]: '{each}' is an option of pip, not a requirement")
        else:
            found.append(each)
    return found


def _index(request: Mapping[str, Any]) -> list[str]:
    return ["--index-url", request["indexURL"]] if request.get("indexURL") else []


# --- The lock ---


def _resolve(requirements: list[str], index: list[str], scratch: Path) -> list[dict[str, str]]:
    """What must be added to the base, by name: [{name, version, url, sha256}]. The base's own packages stay as they are."""
    constraints, report = scratch / "constraints.txt", scratch / "report.json"
    constraints.write_text("".join(f"{name}=={version}\n" for name, version in _base_packages().items()), encoding="utf-8")
    _pip("install", "--dry-run", "--report", str(report), "--constraint", str(constraints), *index, *requirements)
    installs = json.loads(report.read_text(encoding="utf-8"))["install"]
    return sorted((_locked(each) for each in installs), key=lambda each: each["name"])


def _base_packages() -> dict[str, str]:
    return {each.metadata["Name"]: each.version for each in importlib.metadata.distributions() if each.metadata["Name"]}


def _locked(install: Mapping[str, Any]) -> dict[str, str]:
    source = install["download_info"]
    digest = source.get("archive_info", {}).get("hashes", {}).get("sha256")
    if digest is None:
        raise CannotMake(f"{install['metadata']['name']} comes from {source['url']}, which has no digest: give a version of an index, or a wheel")
    return {"name": install["metadata"]["name"], "version": install["metadata"]["version"], "url": source["url"], "sha256": digest}


def _digest(lock: list[dict[str, str]]) -> str:
    """The same packages on the same base are the same environment, wherever they came from."""
    named = [[each["name"], each["version"], each["sha256"]] for each in lock]
    base = [sys.version, sorted(_base_packages().items())]
    return hashlib.sha256(json.dumps([base, named]).encode()).hexdigest()[:32]


# --- The environment ---


def _find(folder: Path, digest: str) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads((folder / digest / DESCRIPTION).read_text(encoding="utf-8"))
        return found
    except FileNotFoundError:
        return None


def _install(folder: Path, digest: str, lock: list[dict[str, str]], index: list[str]) -> dict[str, Any]:
    """Made beside its place and renamed when it is whole: whoever makes the same one at the same time wins or loses it all."""
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=folder))
    try:
        venv.create(making, symlinks=True, with_pip=False)
        packages = _packages_folder(making)
        (packages / "orchestra-base.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
        _install_locked(making, lock, index)
        description = {"v": 1, "digest": digest, "python": sys.version.split()[0], "packages": lock, "modules": _modules(packages)}
        (making / DESCRIPTION).write_text(json.dumps(description, indent=1), encoding="utf-8")
        _rename(making, folder / digest)
        return description
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _install_locked(making: Path, lock: list[dict[str, str]], index: list[str]) -> None:
    if not lock:
        return
    lines = making / "lock.txt"
    lines.write_text("".join(f"{each['name']} @ {each['url']} --hash=sha256:{each['sha256']}\n" for each in lock), encoding="utf-8")
    _pip("--python", str(making / "bin" / "python"), "install", "--no-deps", "--require-hashes", *index, "-r", str(lines))


def _rename(making: Path, place: Path) -> None:
    try:
        os.rename(making, place)
    except OSError:
        if _find(place.parent, place.name) is None:
            raise


def _packages_folder(environment: Path) -> Path:
    return environment / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"


def _modules(packages: Path) -> list[str]:
    """The names by which its packages are imported: what tools may call there."""
    names = {each.stem if each.suffix == ".py" else each.name for each in packages.iterdir() if each.suffix in ("", ".py")}
    return sorted(name for name in names if name.isidentifier() and not name.startswith("_"))


def _pip(*arguments: str) -> None:
    """What it prints is in the step's log. CannotMake with its first error."""
    command = [*_PIP, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as pip:
        problem = ""
        for line in pip.stdout or ():
            print(line, end="", flush=True)
            problem = problem or (line.strip() if line.startswith("ERROR") else "")
    if pip.returncode != 0:
        raise CannotMake(problem.removeprefix("ERROR: ") or f"pip ended with status {pip.returncode}")
