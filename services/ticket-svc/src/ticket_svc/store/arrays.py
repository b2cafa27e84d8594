"""Lists of any length as one parameter: `IN` would take one each, and PostgreSQL stops at
32,767.
"""

from collections.abc import Iterable

from sqlalchemy import Column, ColumnElement, Text, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY


def among(column: Column[str], values: Iterable[str]) -> ColumnElement[bool]:
    """The column is one of these texts."""
    return column == any_(literal(list(values), ARRAY(Text)))
