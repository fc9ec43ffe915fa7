"""The control groups of a keeper's jobs, a folder in each hierarchy: made ahead of need, limited when a job comes, and used again when a
job left nothing in them. Making and removing them for each job would take as long as a small step."""

from __future__ import annotations

import os
from collections.abc import Sequence

from orchestra_runtime import cgroup
from orchestra_runtime.records import Limits

MOST_KEPT = 8 * 1024 * 1024  # bytes that may still be charged to a group (page cache) when the next job gets it


class Groups:
    def __init__(self, roots: Sequence[str]) -> None:
        """`roots`: the folders to make them in; none where there are no control groups."""
        self._roots = roots
        self._made = 0
        self._left: list[str] = []  # that could not be removed yet
        self._limits: Limits | None = None
        self._problem: OSError | None = None
        self.folders: list[str] = []

    def prepare(self) -> None:
        """What goes wrong is said when a job comes."""
        if self.folders or not self._roots:
            return
        self.remove()
        self._limits, self._problem = None, None
        try:
            for root in self._roots:
                self.folders.append(self._make(root))
        except OSError as problem:
            self._problem = problem
            self.remove()

    def _make(self, root: str) -> str:
        while True:
            self._made += 1
            folder = f"{root}/{os.getpid()}-{self._made}"
            try:
                os.mkdir(folder, 0o755)
                return folder
            except FileExistsError:  # of a process that had our number
                pass

    def limit(self, limits: Limits) -> None:
        """For the job that begins now. OSError, with the file's name."""
        if self._problem is not None:
            raise self._problem
        if limits != self._limits:
            for folder in self.folders:
                cgroup.limit(folder, limits)
        self._limits = limits

    def peak_memory(self) -> int | None:
        """Of the job, bytes; None when no group counts it."""
        return cgroup.peak_memory(self.folders)

    def out_of_memory(self) -> bool:
        """The kernel killed some process of the job for its group's memory."""
        return cgroup.out_of_memory_kills(self.folders) > 0

    def kill(self) -> None:
        cgroup.kill(self.folders)

    def renew(self) -> None:
        """After a job: they are fit for the next one, or gone."""
        if self.out_of_memory() or cgroup.used_memory(self.folders) > MOST_KEPT or not cgroup.reset_peak(self.folders):
            self.remove()

    def remove(self) -> None:
        """The kernel may not have taken the last process out of it yet: then it is tried again, at last by the server's own end."""
        self._left, self.folders = [folder for folder in self._left + self.folders if not _removed(folder)], []


def _removed(folder: str) -> bool:
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True
