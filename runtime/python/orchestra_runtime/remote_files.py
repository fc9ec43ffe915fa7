"""Reads a file of s3:// (pyarrow) or hdfs:// (hdfs_files.py) and sends it to the server. PROTOCOL.md has what is sent.

Memory: the block that is being sent, and the next, which is read meanwhile.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from pyarrow import fs

    from .hdfs_files import HdfsFiles

    Files = fs.FileSystem | HdfsFiles

SOCKET = 3  # the descriptor that leads to the server
BLOCK = 8 * 1024 * 1024  # bytes: one request to S3 each
CONNECT_TIMEOUT, REQUEST_TIMEOUT = 10.0, 60.0  # seconds, of one try
MOST_TEXT = 4000  # characters of an error


class Unreadable(RuntimeError):
    """Names the URL and what is wrong."""


def main(url: str) -> int:
    server = socket.socket(fileno=SOCKET)
    os.set_inheritable(SOCKET, False)
    threading.Thread(target=_end_with, args=(server,), daemon=True).start()
    try:
        _send(server, url)
    except BrokenPipeError:  # it does not want the rest
        return 0
    except Exception as error:
        _message(server, {"error": _text(url, error)})
    return 0


def _end_with(server: socket.socket) -> None:
    """The server sends nothing: what comes is its end, or that it needs no more."""
    try:
        server.recv(1)
    finally:  # a reset, too: the server died with something unread
        os._exit(0)


def _send(server: socket.socket, url: str) -> None:
    filesystem, path = _open(url)
    before = _described(filesystem, path, url)
    _message(server, {"total": before.size})
    end: dict[str, Any] = {}
    try:
        for block in _blocks(filesystem, path, before.size):
            _block(server, block)
        _check_same(before, _described(filesystem, path, url), url)
    except BrokenPipeError:
        raise
    except Exception as error:
        end = {"error": _text(url, error)}
    _block(server, b"")
    _message(server, end)


def _block(server: socket.socket, block: Any) -> None:
    server.sendall(struct.pack(">I", len(block)))
    if len(block):
        server.sendall(block)


def _message(server: socket.socket, message: dict[str, Any]) -> None:
    text = json.dumps(message).encode()
    server.sendall(struct.pack(">I", len(text)) + text)


# --- Where it is ---


def _open(url: str) -> tuple[Files, str]:
    scheme, _, rest = url.partition("://")
    if scheme == "s3":
        return _s3(rest.partition("/")[0]), rest
    authority, _, path = rest.partition("/")
    host, _, port = authority.partition(":")
    return _hdfs(host, int(port or 8020)), "/" + path


def _s3(bucket: str) -> fs.FileSystem:
    """Credentials are those of the environment or of ~/.aws, as for AWS's own tools."""
    from pyarrow import fs

    options: dict[str, Any] = {"connect_timeout": CONNECT_TIMEOUT, "request_timeout": REQUEST_TIMEOUT}
    endpoint = urlsplit(os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or "")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if endpoint.scheme and endpoint.netloc:
        options |= {"scheme": endpoint.scheme, "endpoint_override": endpoint.netloc + endpoint.path.rstrip("/")}
    options["region"] = region or ("us-east-1" if endpoint.netloc else _region_of(bucket))
    return fs.S3FileSystem(**options)


def _region_of(bucket: str) -> str | None:
    from pyarrow import fs

    try:
        region: str = fs.resolve_s3_region(bucket)
        return region
    except OSError:
        return None


def _hdfs(host: str, port: int) -> HdfsFiles:
    from .hdfs_files import HdfsFiles

    return HdfsFiles(host, port)


# --- What it holds ---


def _described(filesystem: Files, path: str, url: str) -> fs.FileInfo:
    from pyarrow import fs

    info = filesystem.get_file_info(path)
    if info.type == fs.FileType.NotFound:
        raise Unreadable(f"there is no {url}")
    if info.type != fs.FileType.File:
        raise Unreadable(f"{url} is a folder, not a file")
    return info


def _blocks(filesystem: Files, path: str, size: int) -> Iterator[Any]:
    with filesystem.open_input_file(path) as file, ThreadPoolExecutor(1) as reader:
        offsets = range(0, size, BLOCK)
        coming = reader.submit(file.read_at, BLOCK, 0) if offsets else None
        for offset in offsets:
            assert coming is not None
            block = coming.result()
            if len(block) < min(BLOCK, size - offset):
                raise OSError(f"it ended after {offset + len(block)} of {size} bytes")
            coming = reader.submit(file.read_at, BLOCK, offset + BLOCK) if offset + BLOCK < size else None
            yield block


def _check_same(before: fs.FileInfo, after: fs.FileInfo, url: str) -> None:
    """Its blocks are read one by one, and must be those of one file."""
    if (before.size, before.mtime) != (after.size, after.mtime):
        raise Unreadable(f"{url} was changed while it was read")


# --- Errors ---


def _text(url: str, error: Exception) -> str:
    text = str(error) if isinstance(error, Unreadable) else f"{url} cannot be read: {_first_line(error) or type(error).__name__}"
    if "ACCESS_DENIED" in text or "INVALID_ACCESS_KEY_ID" in text or "SIGNATURE" in text:
        text += " (the server's credentials for S3 do not allow it)"
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID"):
        if os.environ.get(name):
            text = text.replace(os.environ[name], "…")
    return text[:MOST_TEXT]


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
