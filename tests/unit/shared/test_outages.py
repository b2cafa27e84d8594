"""An outage passes; a refusal, a bug and a value that cannot be sent never do."""

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from shared.consumer import is_outage
from shared.refusal import NotFound


class Driver(Exception):
    """An error of the driver, as SQLAlchemy keeps it."""

    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


def database_error(sqlstate: str | None, cause: Exception | None = None) -> DBAPIError:
    driver = Driver(sqlstate)
    driver.__cause__ = cause
    return DBAPIError("SELECT 1", {}, driver)


PASSES: dict[str, Exception] = {
    "connection lost": database_error("08006"),
    "serialisation failure": database_error("40001"),
    "deadlock": database_error("40P01"),
    "too many connections": database_error("53300"),
    "lock not available": database_error("55P03"),
    "session ended by an administrator": database_error("57P01"),
    "driver's error without a state": database_error(None),
    "connection closed": database_error(None, asyncpg.InterfaceError("connection is closed")),
    "server killed": asyncpg.InternalClientError("unexpected end of stream"),
    "pool starved": PoolTimeout(),
    "broker gone": KafkaConnectionError(),
    "nobody listens": ConnectionRefusedError(),
    "no answer in time": TimeoutError(),
}
NEVER_PASSES: dict[str, Exception] = {
    "unique violation": database_error("23505"),
    "zero character": database_error("22021"),
    "no privilege": database_error("42501"),
    "integer beyond 64 bits": database_error(None, ValueError("value out of int64 range")),
    "refusal": NotFound("no such ticket"),
    "bug": KeyError("employee"),
    "failed assertion": AssertionError(),
}


@pytest.mark.parametrize("error", PASSES.values(), ids=PASSES)
def test_what_passes_is_an_outage(error: Exception) -> None:
    assert is_outage(error)


@pytest.mark.parametrize("error", NEVER_PASSES.values(), ids=NEVER_PASSES)
def test_what_never_passes_is_none(error: Exception) -> None:
    assert not is_outage(error)
