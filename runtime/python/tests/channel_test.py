"""Packets and their ends."""

from __future__ import annotations

import json
import os
import select
import socket

import pytest

from orchestra_runtime import channel, plain
from orchestra_runtime.channel import Channel
from orchestra_runtime.link import Link


@pytest.fixture
def pair() -> tuple[socket.socket, socket.socket]:
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def test_descriptors_travel_with_their_message(pair: tuple[socket.socket, socket.socket]) -> None:
    reading, writing = os.pipe()
    Channel(pair[0]).send({"type": "start", "name": "ü"}, [writing])
    os.close(writing)
    message, (received,) = Channel(pair[1]).receive(descriptors=1)
    assert message == {"type": "start", "name": "ü"}
    assert not os.get_inheritable(received)
    os.close(received)
    assert os.read(reading, 1) == b""
    os.close(reading)


def test_the_end_is_none(pair: tuple[socket.socket, socket.socket]) -> None:
    pair[0].close()
    assert Channel(pair[1]).receive() == (None, [])
    assert list(Channel(pair[1]).messages()) == []
    Channel(pair[1]).tell({"type": "x"})  # nobody hears it
    with pytest.raises(OSError):
        Channel(pair[1]).send({"type": "x"})


def test_the_last_word_of_a_side_that_left_packets_unread_is_heard(pair: tuple[socket.socket, socket.socket]) -> None:
    Channel(pair[1]).send({"type": "stop"})
    Channel(pair[0]).send({"type": "last"})
    pair[0].close()
    assert Channel(pair[1]).receive() == ({"type": "last"}, [])
    assert Channel(pair[1]).receive() == (None, [])


def test_a_link_reads_what_is_left_before_it_closes(pair: tuple[socket.socket, socket.socket]) -> None:
    Channel(pair[1]).send({"type": "stop"})
    link = Link(pair[0])
    link.tell({"type": "last"})
    link.close()
    assert json.loads(pair[1].recv(100)) == {"type": "last"}  # no ConnectionResetError
    assert pair[1].recv(100) == b""


@pytest.mark.parametrize("packet", [b"", b"{", b"[]", b"{}", b'{"type":1}', b"\xff"])
def test_what_is_no_message(packet: bytes) -> None:
    with pytest.raises(ValueError):
        channel.unpack(packet)


def test_a_message_has_its_most() -> None:
    assert len(channel.pack({"type": "x", "pad": "y" * (channel.MAX_PACKET - 21)})) == channel.MAX_PACKET
    with pytest.raises(ValueError, match="of type 'x' has 65537 bytes, the most is 65536"):
        channel.pack({"type": "x", "pad": "y" * (channel.MAX_PACKET - 20)})


def test_plain_values() -> None:
    value = {"nan": float("nan"), "inf": [float("-inf")], "text": "\udc80", 1: (True, None), "set": {1}}
    assert plain.jsonable(value) == {"nan": None, "inf": [None], "text": "?", "1": [True, None], "set": "{1}"}


def test_numpy_scalars_are_numbers() -> None:
    numpy = pytest.importorskip("numpy")
    assert plain.jsonable([numpy.float32(0.5), numpy.int64(3), numpy.float64("nan")]) == [0.5, 3, None]


def test_a_link_keeps_what_the_server_does_not_take_yet(pair: tuple[socket.socket, socket.socket]) -> None:
    link = Link(pair[0])
    sent = 0
    while not link.is_busy:
        link.tell({"type": "progress", "n": sent, "pad": "x" * 10_000})
        sent += 1
    assert link.interest & select.POLLOUT
    received = []
    while link.is_busy or len(received) < sent:
        received.append(channel.unpack(pair[1].recv(channel.MAX_PACKET))["n"])
        link.flush()
    assert received == list(range(sent)) and link.is_open and link.hear() is None


def test_a_link_whose_server_is_gone(pair: tuple[socket.socket, socket.socket]) -> None:
    link = Link(pair[0])
    pair[1].close()
    assert link.hear() is None and not link.is_open
    link.tell({"type": "x"})
    assert not link.is_busy
    link.close()
