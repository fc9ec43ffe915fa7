"""Job: what operations use. In-process."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from orchestra_runtime import records
from orchestra_runtime.channel import MAX_PACKET, Channel
from orchestra_runtime.job import Job
from orchestra_runtime.records import Manifest


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Job, Channel]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(60)
    members = []
    for name in ("LR", "NB"):
        (tmp_path / name).mkdir()
        members.append({"name": name, "operation": "builder/sparkml", "request": {}, "staging": str(tmp_path / name)})
    raw = {"v": 1, "token": "t", "members": members, "limits": {"cpu": None},
           "spark": {"url": "sc://h:1", "token": "s", "session": "u"}, "checkpoint": str(tmp_path)}
    return Job(records.step_file(raw), Channel(theirs)), Channel(ours)


def test_what_the_step_file_says(pair: tuple[Job, Channel], tmp_path: Path) -> None:
    job, _ = pair
    assert (job.token, job.checkpoint, job.limits, job.inputs) == ("t", str(tmp_path), records.Limits(None, 1.0), {})
    assert job.spark == records.Spark("sc://h:1", "s", "u")
    assert [member.staging for member in job.members] == [tmp_path / "LR", tmp_path / "NB"]


def test_a_member_finishes(pair: tuple[Job, Channel], tmp_path: Path) -> None:
    job, server = pair
    job.finish("LR", Manifest("model", ("rows.parquet", "model.zip"), "M", ({"name": "a", "type": "number"},), 3), {"F1": "0.8"})
    assert server.receive()[0] == {"type": "member_ended", "member": "LR"}
    assert json.loads((tmp_path / "LR" / "result.json").read_text()) == {
        "status": "finished",
        "manifest": {"kind": "model", "typeName": "M", "parts": [{"name": "rows.parquet"}, {"name": "model.zip"}],
                     "fields": [{"name": "a", "type": "number"}], "rows": 3},
        "facts": {"F1": "0.8"},
    }
    assert [path.name for path in (tmp_path / "LR").iterdir()] == ["result.json"]
    assert [member.name for member in job.open_members] == ["NB"]


def test_a_member_fails(pair: tuple[Job, Channel], tmp_path: Path) -> None:
    job, server = pair
    job.fail("NB", ValueError("boom"))
    assert server.receive()[0] == {"type": "member_ended", "member": "NB", "result": {
        "status": "failed", "exception": "ValueError: boom", "traceback": "ValueError: boom\n", "facts": {}}}
    assert not list((tmp_path / "NB").iterdir())


def test_a_small_result_travels_in_the_message(pair: tuple[Job, Channel], tmp_path: Path) -> None:
    job, server = pair
    job.finish("LR", Manifest("object", ("object.pickle",), "int", inline={"object.pickle": b"content"}), {"typeName": "int"})
    assert server.receive()[0] == {"type": "member_ended", "member": "LR", "result": {
        "status": "finished", "facts": {"typeName": "int"},
        "manifest": {"kind": "object", "typeName": "int", "parts": [{"name": "object.pickle", "inline": "Y29udGVudA=="}]}}}
    assert not list((tmp_path / "LR").iterdir())


@pytest.mark.parametrize("more", [{"facts": {"notes": "n" * MAX_PACKET}}, {"parts": ("object.pickle", "rows.parquet")}])
def test_a_result_that_is_no_message_is_files(pair: tuple[Job, Channel], tmp_path: Path, more: dict[str, Any]) -> None:
    job, server = pair
    manifest = Manifest("object", more.get("parts", ("object.pickle",)), "int", inline={"object.pickle": b"content"})
    job.finish("LR", manifest, more.get("facts"))
    assert server.receive()[0] == {"type": "member_ended", "member": "LR"}
    assert (tmp_path / "LR" / "object.pickle").read_bytes() == b"content"
    result = json.loads((tmp_path / "LR" / "result.json").read_text())
    assert result["manifest"]["parts"] == [{"name": name} for name in manifest.parts]


def test_a_member_ends_once(pair: tuple[Job, Channel]) -> None:
    job, _ = pair
    job.fail("NB", ValueError())
    for again in ("NB", "unknown"):
        with pytest.raises(RuntimeError, match=f"member '{again}' is unknown or has ended already"):
            job.finish(again, Manifest("none"))


def test_a_server_that_is_gone_loses_no_result(pair: tuple[Job, Channel], tmp_path: Path) -> None:
    job, server = pair
    server.close()
    job.finish("LR", Manifest("object", ("object.pickle",), "int", inline={"object.pickle": b"content"}))
    assert (tmp_path / "LR" / "result.json").exists()
    assert (tmp_path / "LR" / "object.pickle").read_bytes() == b"content"


def test_progress(pair: tuple[Job, Channel]) -> None:
    job, server = pair
    job.progress("LR", {"loss": float("nan"), "phase": "fit \udc80"})
    assert server.receive()[0] == {"type": "progress", "member": "LR", "data": {"loss": None, "phase": "fit ?"}}
    with pytest.raises(ValueError, match="a message of type 'progress' has"):
        job.progress("LR", {"x": "y" * MAX_PACKET})


def test_an_operation_hears_that_a_member_shall_end(pair: tuple[Job, Channel]) -> None:
    job, server = pair
    heard: list[str] = []
    both = threading.Event()

    def stop(member: str) -> None:
        heard.append(member)
        if len(heard) == 2:
            both.set()

    job.on_stop_member(stop)
    for member in ("LR", "NB"):
        server.send({"type": "stop_member", "member": member})
    assert both.wait(60) and heard == ["LR", "NB"]


@pytest.mark.parametrize("raw", [{}, {"v": 2}, {"v": 1}, {"v": 1, "token": "t", "members": [{}]}])
def test_what_is_no_step_file(raw: dict[str, object]) -> None:
    with pytest.raises((KeyError, ValueError)):
        records.step_file(raw)
