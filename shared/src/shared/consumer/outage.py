"""Telling an outage, which passes, from what no retry can help."""

from aiokafka.errors import KafkaError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# SQLSTATE classes that say "not now" (connection, rollback, resources, intervention, system), not
# "never".
_OUTAGE_STATES = ("08", "40", "53", "55", "57", "58", "XX")


def is_outage(error: BaseException) -> bool:
    """Whether trying the same again can help: database, network, broker; anything else is refused
    or a bug.

    After a kill of the server the driver raises errors without a SQLSTATE; those are outages too.
    """
    if isinstance(error, DBAPIError):
        state = getattr(error.orig, "sqlstate", None)
        return state is None or str(state).startswith(_OUTAGE_STATES)
    return isinstance(error, PoolTimeout | KafkaError | OSError | TimeoutError)
