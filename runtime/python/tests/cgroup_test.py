"""Reading control groups of both versions, from folders that look like them."""

from __future__ import annotations

from pathlib import Path

from orchestra_runtime import cgroup


def _group(folder: Path, **files: str) -> str:
    folder.mkdir()
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text)
    return str(folder)


def test_version_1(tmp_path: Path) -> None:
    pids = _group(tmp_path / "pids", tasks="", cgroup__procs="")
    memory = _group(tmp_path / "memory", tasks="", memory__limit_in_bytes="9223372036854771712\n",
                    memory__max_usage_in_bytes="4096\n", memory__oom_control="oom_kill_disable 0\nunder_oom 0\noom_kill 2\n")
    assert cgroup.limits_memory([pids, memory]) and not cgroup.limits_memory([pids])
    assert cgroup.peak_memory([pids, memory]) == 4096
    assert cgroup.out_of_memory_kills([pids, memory]) == 2


def test_version_2(tmp_path: Path) -> None:
    group = _group(tmp_path / "job", memory__max="max\n", memory__peak="8192\n", memory__events="low 0\noom 1\noom_kill 1\n",
                   cgroup__kill="")
    assert cgroup.limits_memory([group])
    assert cgroup.peak_memory([group]) == 8192
    assert cgroup.out_of_memory_kills([group]) == 1
    cgroup.kill([group])
    assert (tmp_path / "job" / "cgroup.kill").read_text() == "1"


def test_a_thread_enters_by_itself_where_that_is_fast(tmp_path: Path) -> None:
    first = _group(tmp_path / "1", tasks="", cgroup__procs="")
    second = _group(tmp_path / "2", cgroup__procs="")
    cgroup.enter([first, second])
    assert (tmp_path / "1" / "tasks").read_text() == "0" and (tmp_path / "1" / "cgroup.procs").read_text() == ""
    assert (tmp_path / "2" / "cgroup.procs").read_text() == "0"


def test_without_groups(tmp_path: Path) -> None:
    absent = [str(tmp_path / "absent")]
    cgroup.kill(absent)
    assert cgroup.peak_memory(absent) is None and cgroup.out_of_memory_kills(absent) == 0 and not cgroup.limits_memory([])
    assert not (tmp_path / "absent").exists()
