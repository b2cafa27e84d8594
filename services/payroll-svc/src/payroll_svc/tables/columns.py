"""What the tables are made of: their metadata, and the columns that many of them have."""

from sqlalchemy import BigInteger, Column, DateTime, ForeignKey, MetaData, Text

metadata = MetaData()


def text_(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


def of(name: str, table: str) -> Column[str]:
    return Column(name, Text, ForeignKey(f"{table}.{name}"), nullable=False)


def fen(name: str) -> Column[int]:
    return Column(name, BigInteger, nullable=False, server_default="0")


def version() -> Column[int]:
    return Column("version", BigInteger, nullable=False)


def moment(name: str, *, nullable: bool = False) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)
