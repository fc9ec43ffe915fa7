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
        self._kills = 0  # for memory, of earlier jobs
        self._limits: Limits | None = None
        self._problem: OSError | None = None
        self.folders: list[str] = []

    def prepare(self) -> None:
        """What goes wrong is said when a job comes."""
        if self.folders or not self._roots:
            return
        self._made += 1
        self._kills, self._limits, self._problem = 0, None, None
        try:
            for root in self._roots:
                folder = f"{root}/{os.getpid()}-{self._made}"
                os.mkdir(folder, 0o755)
                self.folders.append(folder)
        except OSError as problem:
            self._problem = problem
            self.remove()

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
        return cgroup.out_of_memory_kills(self.folders) > self._kills

    def kill(self) -> None:
        cgroup.kill(self.folders)

    def renew(self) -> None:
        """After a job: they are fit for the next one, or gone."""
        self._kills = cgroup.out_of_memory_kills(self.folders)
        if cgroup.used_memory(self.folders) > MOST_KEPT or not cgroup.reset_peak(self.folders):
            self.remove()

    def remove(self) -> None:
        """What is not empty, because the kernel has not taken the last process out of it yet, is swept when the server starts again."""
        for folder in self.folders:
            try:
                os.rmdir(folder)
            except OSError:
                pass
        self.folders = []
