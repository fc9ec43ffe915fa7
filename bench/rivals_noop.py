"""rivals_noop.py ray|dask: functions that do nothing, one alone, in a chain and fanned out, there. Prints JSON: seconds each."""

import json
import os
import sys
import time

WORKERS = 2
SINGLES, CHAIN, FAN = (int(number) for number in sys.argv[2:5])
RUNS = 3


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def chained(submit, get):
    last = submit(None)
    for _ in range(CHAIN - 1):
        last = submit(last)
    get([last])


def measure(submit, get):
    """`submit(argument)` gives a future, `get(futures)` waits for all of them."""
    for _ in range(3):  # every worker has begun and knows the function
        get([submit(None) for _ in range(200)])
    return {
        "single": [timed(lambda: get([submit(None)])) for _ in range(SINGLES)],
        "chain": [timed(lambda: chained(submit, get)) for _ in range(RUNS)],
        "fan": [timed(lambda: get([submit(None) for _ in range(FAN)])) for _ in range(RUNS)],
    }


def nothing(_):
    return None


def in_ray():
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray

    ray.init(num_cpus=WORKERS, include_dashboard=False, log_to_driver=False, logging_level="error")
    remote = ray.remote(nothing)
    return measure(remote.remote, ray.get)


def in_dask():
    from distributed import Client, LocalCluster

    with LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
        return measure(lambda argument: client.submit(nothing, argument, pure=False), client.gather)


if __name__ == "__main__":
    print(json.dumps({"ray": in_ray, "dask": in_dask}[sys.argv[1]]()))
