"""A step's share of the machine."""

from __future__ import annotations

import math
import os
import resource
import sys
from collections.abc import Sequence
from typing import Any

from orchestra_runtime.records import Limits

# TensorFlow reads its two at its first operation, not when it is loaded.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS",
                    "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
RESERVE = 32 * 1024 * 1024  # bytes beyond the memory limit that reporting its exhaustion may take

_cores = 1  # that libraries use now
_exhausted = False
_thread_pools: Any = None  # those of the libraries that the fork server has loaded


def single_threaded() -> None:
    """For a fork server, before it loads anything: libraries start no threads of their own, unless the server says otherwise."""
    for variable in THREAD_VARIABLES:
        os.environ.setdefault(variable, "1")
    os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")


def find_thread_pools() -> None:
    """Before forking, after loading: looking for them later would cost every step a millisecond."""
    global _thread_pools
    from threadpoolctl import ThreadpoolController

    _thread_pools = ThreadpoolController()


def use_cores(cpu: float) -> None:
    """Threads of the libraries loaded, and by environment of those that are loaded from now on."""
    global _cores
    cores = max(1, math.ceil(cpu))
    if any(os.environ.get(variable) != str(cores) for variable in (THREAD_VARIABLES[0], THREAD_VARIABLES[-1])):
        for variable in THREAD_VARIABLES:
            os.environ[variable] = str(cores)
    if cores == _cores:
        return
    _cores = cores
    if _thread_pools is not None:
        _thread_pools.limit(limits=cores)
    if arrow := sys.modules.get("pyarrow"):
        arrow.set_cpu_count(cores)


def use_gpus(gpus: Sequence[int] | None) -> None:
    """The devices that libraries see from now on. They read this when they first look for one, not when they are loaded."""
    if gpus is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = os.environ["HIP_VISIBLE_DEVICES"] = ",".join(map(str, gpus))


def cap_memory(limits: Limits) -> None:
    """Where no control group counts: RLIMIT_DATA, beyond what was inherited from the fork server. Each process of the step has it
    for itself. (RLIMIT_AS would break the JVM and TensorFlow, which reserve far more than they use.)"""
    if limits.memory is None:
        return
    most = data_bytes() + limits.memory
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    ceiling = most + RESERVE if hard == resource.RLIM_INFINITY else min(hard, most + RESERVE)
    resource.setrlimit(resource.RLIMIT_DATA, (min(most, ceiling), ceiling))


def open_reserve() -> None:
    """After a MemoryError, so that it can be reported."""
    global _exhausted
    _exhausted = True
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def exhausted() -> bool:
    """This process has had a MemoryError."""
    return _exhausted


def data_bytes(statm: bytes | None = None) -> int:
    """Memory of this process's own, resident or not. `statm`: what the kernel says in the file of this name, where it was read."""
    if statm is None:
        with open("/proc/self/statm", "rb", buffering=0) as file:
            statm = file.read()
    return int(statm.split()[5]) * resource.getpagesize()
