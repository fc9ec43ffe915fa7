"""The end of a session while an operation of it begins. Needs pyspark, no server."""

import os
from unittest import mock

import pytest

pytest.importorskip("pyspark")

with mock.patch.dict(os.environ):  # what it sets there is for its own process, and not for those that other tests start
    from orchestra_runtime import spark_session

BEGINS = "(org.apache.spark.SparkIllegalStateException) Operation with status Started is not within statuses Finished, Failed, Canceled for event Closed"


class Client:
    """Refuses so many times."""

    def __init__(self, *refusals: str) -> None:
        self.refusals = list(refusals)
        self.tries = 0

    def release_session(self) -> None:
        self.tries += 1
        if self.refusals:
            raise RuntimeError(self.refusals.pop(0))


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_session, "_PAUSE", 0)


def test_is_tried_again_when_an_operation_begins() -> None:
    client = Client(BEGINS, BEGINS)
    spark_session.end_session(client)
    assert client.tries == 3


def test_any_other_error_stands() -> None:
    client = Client("no", BEGINS)
    with pytest.raises(RuntimeError, match="no"):
        spark_session.end_session(client)
    assert client.tries == 1


def test_is_given_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spark_session, "_SETTLING", -1)
    with pytest.raises(RuntimeError, match="not within statuses"):
        spark_session.end_session(Client(BEGINS, BEGINS))
