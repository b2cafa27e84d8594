"""One planted violation of a store, and the SQL of the usual ones."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Plant:
    """`words` say what is done, `law` is the rule's name, `sql` does it in one transaction of
    `database`; each statement must touch a row.
    """

    words: str
    law: str
    database: str
    sql: tuple[str, ...]


def _first(table: str, where: str, order: str) -> str:
    return f"ctid = (SELECT ctid FROM {table} WHERE {where} ORDER BY {order} LIMIT 1)"  # noqa: S608


def changed(table: str, change: str, where: str = "true", order: str = "1") -> tuple[str, ...]:
    """The first such row of the table is changed."""
    return (f"UPDATE {table} SET {change} WHERE {_first(table, where, order)}",)  # noqa: S608


def deleted(table: str, where: str = "true") -> tuple[str, ...]:
    """The first such row of the table is deleted."""
    return (f"DELETE FROM {table} WHERE {_first(table, where, '1')}",)  # noqa: S608


def doubled(table: str, where: str = "true", **changes: str) -> tuple[str, ...]:
    """A second copy of the first such row, with these columns (SQL) changed."""
    columns = ", ".join(f"{name} = {value}" for name, value in changes.items())
    chosen = f"SELECT * FROM {table} WHERE {_first(table, where, '1')}"  # noqa: S608
    return (
        f"CREATE TEMPORARY TABLE planted ON COMMIT DROP AS {chosen}",
        f"UPDATE planted SET {columns}",  # noqa: S608
        f"INSERT INTO {table} OVERRIDING SYSTEM VALUE SELECT * FROM planted",  # noqa: S608
    )
