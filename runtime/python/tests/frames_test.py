"""Frames over real connections."""

from __future__ import annotations

import socket
import threading

import pytest

from orchestra_runtime import frames
from orchestra_runtime.frames import MESSAGE, OUTPUT, Frames


def pair() -> tuple[Frames, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    return Frames(ours), theirs


def received(end: Frames, count: int) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    while len(found) < count and end.is_open:
        found += end.receive()
    return found


def test_frames_come_whole_however_they_were_sent() -> None:
    end, other = pair()
    sent = [(MESSAGE, b"{}"), (OUTPUT, b""), (OUTPUT, bytes(200_000))]
    content = b"".join(frames.frame(*each) for each in sent)

    def send() -> None:
        for start in range(0, len(content), 7919):
            other.sendall(content[start : start + 7919])

    sender = threading.Thread(target=send)
    sender.start()
    assert received(end, 3) == sent
    sender.join()


def test_what_the_peer_does_not_take_is_kept() -> None:
    end, other = pair()
    end.send(OUTPUT, bytes(30_000_000))
    assert end.has_unsent
    taken = 0
    while taken < 30_000_000 + frames.HEAD.size:
        end.flush()
        taken += len(other.recv(1 << 20))
    assert not end.has_unsent


def test_the_end_of_the_connection_shows_after_what_was_sent_before() -> None:
    end, other = pair()
    other.sendall(frames.frame(MESSAGE, b"last") + b"m\0")
    other.close()
    assert received(end, 2) == [(MESSAGE, b"last")]
    assert not end.is_open
    end.send(MESSAGE, b"lost")
    assert not end.has_unsent


def test_a_frame_has_a_most() -> None:
    with pytest.raises(ValueError, match="the most is"):
        frames.frame(OUTPUT, bytes(frames.MOST_BYTES + 1))


def test_a_node_gives_up_before_the_client_does() -> None:
    assert frames.OF_NODE.last + 5 < frames.OF_CLIENT.last < 20
