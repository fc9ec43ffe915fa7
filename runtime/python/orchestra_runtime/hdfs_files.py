"""Files of HDFS, with as much of pyarrow's file system as remote_files.py asks for. hdfs-native speaks with the name node and the data
nodes itself: no Java, no Hadoop on this machine."""

from __future__ import annotations

import re
from typing import Any

import hdfs_native
from pyarrow import fs

# Tries of a call that the name node does not answer: after 4 s it is given up, where hdfs-native's own 15 take three minutes.
_MOST_TRIES = {"dfs.client.failover.max.attempts": "2"}


class HdfsFiles:
    """Of one name node, as the user that HADOOP_USER_NAME, Kerberos or the process's own user gives."""

    def __init__(self, host: str, port: int) -> None:
        self._client = hdfs_native.Client(f"hdfs://{host}:{port}", config=_MOST_TRIES)

    def get_file_info(self, path: str) -> fs.FileInfo:
        try:
            status = self._client.get_file_info(path)
        except FileNotFoundError:
            return fs.FileInfo(path, type=fs.FileType.NotFound)
        except (OSError, RuntimeError) as error:
            raise OSError(_reason(error)) from error
        kind = fs.FileType.Directory if status.isdir else fs.FileType.File
        return fs.FileInfo(path, type=kind, size=status.length, mtime=status.modification_time / 1000)

    def open_input_file(self, path: str) -> HdfsFile:
        try:
            return HdfsFile(self._client.read(path))
        except (OSError, RuntimeError) as error:
            raise OSError(_reason(error)) from error


class HdfsFile:
    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def __enter__(self) -> HdfsFile:
        return self

    def __exit__(self, *error: object) -> None:
        self._reader.close()

    def read_at(self, nbytes: int, offset: int) -> bytes:
        """At most `nbytes` of the file as it was when it was opened, fewer at its end."""
        try:
            some: bytes = self._reader.read_range(offset, min(nbytes, max(0, len(self._reader) - offset)))
            return some
        except (OSError, RuntimeError) as error:
            raise OSError(_reason(error)) from error


def _reason(error: Exception) -> str:
    """What Hadoop said, without its Java trace and without the addresses of all data nodes."""
    text = str(error)
    if said := re.match(r'RPCError\("[^"]*", "(.*?)(?:\\n|"\)?$)', text):
        text = said[1]
    elif "All DataNodes failed" in text:
        text = "none of the data nodes that have it answers"
    return text.partition("\n")[0]
