"""Operation builder/sparkml: runs the modeling code once, then every classifier of the job side by side; each ends by itself.

Operation internal/spark-release: ends the session of a job that could not do so itself.
"""

from __future__ import annotations

import _thread
import threading

from pyspark.sql.connect.session import SparkSession
from pyspark.util import inheritable_thread_target

from orchestra_runtime import download, spark_member, spark_modeling, spark_session
from orchestra_runtime.job import Job
from orchestra_runtime.records import Manifest, Member
from orchestra_runtime.spark_modeling import Features

_SLOWEST_FIRST = ("GB", "RF", "LR", "DT", "NB")  # the longest chain of Spark jobs begins first
_AGAIN = 0.2  # seconds until an operation that began while it was interrupted is interrupted again


class Stopped(Exception):
    """The member was asked to end."""


def run(job: Job) -> None:
    """What fails here, before the classifiers, fails all members (see job.py)."""
    with spark_session.opened(job.spark) as spark:
        _Builder(job, spark).run()


def release(job: Job) -> None:
    spark_session.release(job.spark)
    for member in job.members:
        job.finish(member.name, Manifest("none"))


class _Builder:
    def __init__(self, job: Job, spark: SparkSession) -> None:
        self._job = job
        self._spark = spark
        self._lock = threading.Lock()
        self._stopped: set[str] = set()
        self._threads: dict[str, threading.Thread] = {}  # of the members that have begun

    def run(self) -> None:
        self._job.on_stop_member(self._stop)
        features = self._features()
        with self._lock:
            self._threads = {member.name: self._thread(member, features) for member in _in_order(self._job.open_members)}
        for thread in self._threads.values():
            thread.start()
        for thread in self._threads.values():
            thread.join()

    def _features(self) -> Features:
        request = self._job.members[0].request
        for member in self._job.members:
            self._job.progress(member.name, {"phase": "modeling"})
        training, testing = (spark_modeling.read(self._spark, self._job.input(request[name]))
                             for name in ("trainDatasetName", "testDatasetName"))
        code = download.code(request["modelingCode"], "modelingCode")
        return spark_modeling.features(code, training, testing, self._spark)

    def _thread(self, member: Member, features: Features) -> threading.Thread:
        target = inheritable_thread_target(self._spark)(self._build)  # the thread has the session, too
        return threading.Thread(target=target, args=(member, features), name=member.name)

    def _build(self, member: Member, features: Features) -> None:
        self._spark.addTag(_tag(member.name))
        build = spark_member.Build(_classifier(member), features, member.staging, lambda phase: self._enter(member.name, phase))
        try:
            manifest = build.run()
        except BaseException as error:  # of one classifier; the others go on
            self._job.fail(member.name, spark_session.explained(error), build.facts)
        else:
            self._job.finish(member.name, manifest, build.facts)

    def _enter(self, member: str, phase: str) -> None:
        if member in self._stopped:
            raise Stopped(f"stopped before {phase}")
        self._job.progress(member, {"phase": phase})

    def _stop(self, name: str) -> None:
        """On the thread that hears of it, which must be free for the next."""
        with self._lock:
            self._stopped.add(name)
            thread = self._threads.get(name)
            if thread is None:
                return self._stop_before_begin(name)
        threading.Thread(target=self._interrupt, args=(name, thread), daemon=True).start()

    def _interrupt(self, name: str, thread: threading.Thread) -> None:
        while thread.is_alive():
            self._spark.interruptTag(_tag(name))
            thread.join(_AGAIN)

    def _stop_before_begin(self, name: str) -> None:
        if name in [member.name for member in self._job.open_members]:
            self._job.fail(name, Stopped("stopped while modelingCode ran"))
        if not self._job.open_members:
            _thread.interrupt_main()  # nobody waits for the modeling code any more


def _classifier(member: Member) -> str:
    return member.request["classifier"]


def _in_order(members: tuple[Member, ...]) -> list[Member]:
    return sorted(members, key=lambda member: _SLOWEST_FIRST.index(_classifier(member)))


def _tag(member: str) -> str:
    return f"member {member}"
