"""Spark Connect sessions: opened under the id that the server process chose, so that it can end them whatever happens here."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import time
import urllib.parse
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
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

_FAR_RETRIES, _LONGEST_PAUSE = 8, 15_000  # over a network: about a minute. pyspark's own take ten
_SETTLING, _PAUSE = 10.0, 0.1  # seconds: in which an operation that was told to end does, and between two tries

_UNREACHABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNAUTHENTICATED)


class SparkUnavailable(RuntimeError):
    """No Spark server was given, or it does not answer, or it refuses this step."""


class NotShared(RuntimeError):
    """The Spark server, or an executor of it, does not see the files of this step."""


class _ChannelBuilder(DefaultChannelBuilder):
    """A secret travels in clear over loopback, where pyspark's own builder would allow it for the name "localhost" only, and
    over TLS to anywhere else."""

    def toChannel(self) -> grpc.Channel:
        if self.use_ssl or self.token is None or not _is_loopback(self.host):
            return super().toChannel()
        call = grpc.access_token_call_credentials(self.token)
        return self._secure_channel(self.endpoint, grpc.composite_channel_credentials(grpc.local_channel_credentials(), call))


@contextlib.contextmanager
def opened(spark: Spark | None, retries: int | None = None) -> Iterator[SparkSession]:
    """A session that is released at the end, with all that it keeps on the server. `retries`: of a call that fails, if not as many as are good for a
    step. SparkUnavailable."""
    session = _create(spark, retries)
    try:
        session.conf.set(*_NO_SERVER_FRAMES)
        yield session
    except Exception as error:
        if (explanation := explained(error, spark)) is error:
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
                raise explained(error, spark)


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


def is_cluster(session: SparkSession) -> bool:
    """Whether it computes in processes of their own, which may die, and on machines of their own."""
    return not (session.conf.get("spark.master", "") or "").startswith("local")


def explained(error: BaseException, spark: Spark, files: Sequence[Path] = ()) -> BaseException:
    """The error itself, or what it amounts to: SparkUnavailable; NotShared when it is about one of `files`."""
    status = _grpc_status(error)
    if status in _UNREACHABLE:
        explanation: Exception = SparkUnavailable(f"{spark.name} {_why(status, spark)}")
    elif unseen := next((file for file in files if any(why in str(error) for why in _UNSEEN) and file.name in str(error)), None):
        explanation = NotShared(f"{spark.name} or one of its executors cannot reach {unseen}: all of them need the results of this server (--store) "
                                "at the same path, as the same user")
    else:
        return error
    explanation.__cause__ = error
    return explanation


_UNSEEN = ("PATH_NOT_FOUND", "FAILED_READ_FILE", "FileNotFoundException", "Permission denied", "Mkdirs failed")


def _why(status: grpc.StatusCode, spark: Spark) -> str:
    if status == grpc.StatusCode.UNAVAILABLE:
        return "does not answer: it has died or was stopped"
    return "refuses the token that it was given" if spark.token or ";token=" in spark.url else "wants a token, and was given none"


def details(error: BaseException) -> str:
    """What gRPC says of the call that failed."""
    failed = _grpc_error(error)
    return (failed.details() or "") if failed is not None else ""


def _grpc_status(error: BaseException | None) -> grpc.StatusCode | None:
    failed = _grpc_error(error)
    return None if failed is None else failed.code()


def _grpc_error(error: BaseException | None) -> grpc.RpcError | None:
    """The call that failed, which pyspark may have wrapped."""
    while error is not None and not isinstance(error, grpc.RpcError):
        error = error.__cause__ or error.__context__
    return error


def _create(spark: Spark | None, retries: int | None = None) -> SparkSession:
    if spark is None:
        raise SparkUnavailable("this step was given no Spark server")
    builder = _ChannelBuilder(_with_parameters(spark.url, token=spark.token, session_id=spark.session))
    session = SparkSession.builder.channelBuilder(builder).create()
    # Without a network that could be down for a while, who does not answer is gone.
    usual, longest = (4, 1000) if _is_loopback(builder.host) else (_FAR_RETRIES, _LONGEST_PAUSE)
    session.client.set_retry_policies([DefaultPolicy(max_retries=usual if retries is None else retries, max_backoff=longest)])
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
