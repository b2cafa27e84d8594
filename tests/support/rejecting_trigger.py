"""A trigger that refuses some rows of one table: what a service cannot take in, without a line of
product code for it. Pulling it out is the cause repaired.
"""

import asyncpg


async def plant(superuser_url: str, table: str, condition: str) -> None:
    """From now on every row for which `condition` (SQL over NEW) holds is refused.

    SQLSTATE P0001 is no outage: the event that brings such a row is parked.
    """
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.execute(
            f"""
            CREATE FUNCTION refuse_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'planted: this row of {table} is refused'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {table}
               FOR EACH ROW WHEN ({condition}) EXECUTE FUNCTION refuse_{table}();
            """
        )
    finally:
        await connection.close()


async def pull(superuser_url: str, table: str) -> None:
    """Takes the trigger out again."""
    connection = await asyncpg.connect(superuser_url)
    try:
        await connection.execute(f"DROP TRIGGER refuse ON {table}; DROP FUNCTION refuse_{table}();")
    finally:
        await connection.close()
