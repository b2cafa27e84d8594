"""The columns that tables here are made of."""

from sqlalchemy import BigInteger, Column, Date, MetaData, Text, TextClause, text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

metadata = MetaData()


def key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def words(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default=text("''"))


def count(name: str) -> Column[int]:
    """A version, a number of fen or of things; 0 until something is known."""
    return Column(name, BigInteger, nullable=False, server_default=text("0"))


def document(name: str, empty: str) -> Column[object]:
    return Column(name, JSONB, nullable=False, server_default=text(f"'{empty}'"))


def moment(
    name: str, *, optional: bool = False, server_default: TextClause | None = None
) -> Column[object]:
    zoned = TIMESTAMP(timezone=True)
    return Column(name, zoned, nullable=optional, server_default=server_default)


def day(name: str, *, optional: bool = False) -> Column[object]:
    return Column(name, Date, nullable=optional)


def owner() -> Column[str]:
    return Column("employer_id", Text, nullable=False)
