"""Spark Connect sessions: opened under the id that the server process chose, so that it can end them whatever happens here."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import time
import urllib.parse
import warnings
from collections.abc import Iterator
from typing import Any

from orchestra_runtime.records import Spark

# Read when pyspark and grpc are imported: user code that asks for "the" session gets this one, and gRPC keeps its notes to itself.
os.environ.setdefault("SPARK_CONNECT_MODE_ENABLED", "1")
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

import grpc  # noqa: E402
from pyspark.logger import PySparkLogger  # noqa: E402
from pyspark.sql.connect.client import DefaultChannelBuilder  # noqa: E402
from pyspark.sql.connect.client.retries import DefaultPolicy  # noqa: E402
from pyspark.sql.connect.session import SparkSession  # noqa: E402


# What pyspark says besides, of errors that it also raises.
warnings.filterwarnings("ignore", message=r"\[RETRIES_EXCEEDED\]")
for _name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
    PySparkLogger.getLogger(_name).disabled = True

_NO_SERVER_FRAMES = ("spark.sql.connect.serverStacktrace.enabled", "false")  # in the text of errors

_SETTLING, _PAUSE = 10.0, 0.1  # seconds: in which an operation that was told to end does, and between two tries

_UNREACHABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED)


class SparkUnavailable(RuntimeError):
    """No Spark server was given, or it does not answer, or it refuses this step."""


class _ChannelBuilder(DefaultChannelBuilder):
    """A secret travels in clear over loopback, where pyspark's own builder would allow it for the name "localhost" only, and
    over TLS to anywhere else."""

    def toChannel(self) -> grpc.Channel:
        if self.use_ssl or self.token is None or not _is_loopback(self.host):
            return super().toChannel()
        call = grpc.access_token_call_credentials(self.token)
        return self._secure_channel(self.endpoint, grpc.composite_channel_credentials(grpc.local_channel_credentials(), call))


@contextlib.contextmanager
def opened(spark: Spark | None) -> Iterator[SparkSession]:
    """A session that is released at the end, with all that it keeps on the server. SparkUnavailable."""
    session = _create(spark)
    try:
        session.conf.set(*_NO_SERVER_FRAMES)
        yield session
    except Exception as error:
        if (explanation := explained(error)) is error:
            raise
        raise explanation
    finally:
        session.stop()  # logs what goes wrong, raises nothing


def release(spark: Spark | None) -> None:
    """Ends what still runs in the session and the session itself. Nothing happens when there is none of that id. SparkUnavailable."""
    session = _create(spark)
    with contextlib.closing(session.client) as client:
        try:
            client.interrupt_all()
            end_session(client)
        except Exception as error:
            if not _is_gone(error):
                raise explained(error)


def end_session(client: Any) -> None:
    """Spark refuses to in the instant in which an operation of the session begins. That was told to end, so that the next try finds it ended."""
    until = time.monotonic() + _SETTLING
    while True:
        try:
            client.release_session()
            return
        except Exception as error:
            if "SparkIllegalStateException" not in str(error) or time.monotonic() > until:
                raise
        time.sleep(_PAUSE)


def explained(error: BaseException) -> BaseException:
    """The error itself, or the SparkUnavailable that it amounts to."""
    status = _grpc_status(error)
    if status not in _UNREACHABLE:
        return error
    explanation = SparkUnavailable(f"the Spark server {_WHY[status]}")
    explanation.__cause__ = error
    return explanation


_WHY = {
    grpc.StatusCode.UNAVAILABLE: "does not answer: it has died or was stopped",
    grpc.StatusCode.UNAUTHENTICATED: "refuses the secret that this step was given",
}


def _grpc_status(error: BaseException | None) -> grpc.StatusCode | None:
    """Of the call that failed, which pyspark may have wrapped."""
    while error is not None:
        if isinstance(error, grpc.RpcError):
            return error.code()
        error = error.__cause__ or error.__context__
    return None


def _create(spark: Spark | None) -> SparkSession:
    if spark is None:
        raise SparkUnavailable("this step was given no Spark server")
    builder = _ChannelBuilder(_with_parameters(spark.url, token=spark.token, session_id=spark.session))
    session = SparkSession.builder.channelBuilder(builder).create()
    if _is_loopback(builder.host):  # no network that could be down for a while: who does not answer is gone
        session.client.set_retry_policies([DefaultPolicy(max_retries=4, max_backoff=1000)])
    return session


def _with_parameters(url: str, **parameters: str | None) -> str:
    given = [f"{name}={urllib.parse.quote(value, safe='')}" for name, value in parameters.items() if value]
    return ";".join([url.rstrip("/") + "/" if "/;" not in url else url, *given])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _is_gone(error: BaseException) -> bool:
    """The server does not know the session (any more)."""
    return any(word in str(error) for word in ("INVALID_HANDLE.SESSION", "SESSION_NOT_FOUND", "SESSION_CLOSED"))
