"""Telling an outage, which passes, from what no retry can help."""

from aiokafka.errors import KafkaError
from asyncpg import InternalClientError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# SQLSTATE classes that say "not now" (connection, rollback, resources, intervention, system), not
# "never".
_OUTAGE_STATES = ("08", "40", "53", "55", "57", "58", "XX")


def is_outage(error: BaseException) -> bool:
    """Whether trying the same again can help: database, network, broker; anything else is refused
    or a bug.

    After a kill of the server the driver raises errors without a SQLSTATE; those are outages too.
    A value that the driver cannot send (an integer beyond 64 bits) has none either, and never
    passes: it is a ValueError underneath.
    """
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None)
        if state is None:
            return not isinstance(getattr(error.orig, "__cause__", None), ValueError)
        return str(state).startswith(_OUTAGE_STATES)
    outages = PoolTimeout | KafkaError | InternalClientError | OSError | TimeoutError
    return isinstance(error, outages)
