"""Good rows of files that wait to be applied, as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import delete, select, text

from payroll_svc.domain.imported_payslips import SaidLine, SaidPayslip
from payroll_svc.domain.imports import Upload
from payroll_svc.domain.people import RosterRow, SealedIdentity, Spell, StagedPerson
from payroll_svc.domain.wage_inputs import WageInput
from payroll_svc.domain.wages import WageRow
from payroll_svc.store.bulk import merge
from payroll_svc.tables import staged_rows
from shared.db import Connection


async def save_rows(conn: Connection, upload: Upload, contents: Sequence[dict[str, Any]]) -> None:
    """Exactly these rows, in this order."""
    await forget_rows(conn, upload.import_id)
    own = {"import_id": upload.import_id, "employer_id": upload.employer_id}
    await merge(
        conn,
        staged_rows,
        [{**own, "ordinal": ordinal, "content": one} for ordinal, one in enumerate(contents)],
    )


async def forget_rows(conn: Connection, import_id: str) -> None:
    await conn.execute(delete(staged_rows).where(staged_rows.c.import_id == import_id))


async def _contents(conn: Connection, import_id: str) -> list[Any]:
    wanted = (
        select(staged_rows.c.content)
        .where(staged_rows.c.import_id == import_id)
        .order_by(staged_rows.c.ordinal)
    )
    return list((await conn.execute(wanted)).scalars())


_OLDER_STAGED = text(
    """
    SELECT import_id, ordinal, content FROM staged_rows
     WHERE employer_id = :employer_id AND content->'identity'->>'root_key_id' <> :newest
     ORDER BY import_id, ordinal LIMIT :limit FOR UPDATE
    """
)
_STAGE_ANEW = text(
    """
    UPDATE staged_rows
       SET content = jsonb_set(content, '{identity}', CAST(:identity AS jsonb))
     WHERE import_id = :import_id AND ordinal = :ordinal
    """
)
_FORGET_PERSON = text(
    """
    DELETE FROM staged_rows
     WHERE employer_id = :employer_id AND content->'row'->>'employee_id' = :employee_id
    """
)


async def staged_under_older(
    conn: Connection, employer_id: str, newest: str, limit: int
) -> list[tuple[str, int, StagedPerson]]:
    """(import id, ordinal, person) of staged people whose key another root key wraps; locked."""
    values = {"employer_id": employer_id, "newest": newest, "limit": limit}
    rows = await conn.execute(_OLDER_STAGED, values)
    return [(row.import_id, row.ordinal, _person(row.content)) for row in rows]


async def stage_anew(conn: Connection, rows: Sequence[tuple[str, int, SealedIdentity]]) -> None:
    """Writes the identities of staged people, by import id and ordinal."""
    values = [
        {"import_id": name, "ordinal": ordinal, "identity": json.dumps(asdict(identity))}
        for name, ordinal, identity in rows
    ]
    if values:
        await conn.execute(_STAGE_ANEW, values)


async def forget_staged_person(conn: Connection, employer_id: str, employee_id: str) -> None:
    """Deletes what is staged about one person."""
    values = {"employer_id": employer_id, "employee_id": employee_id}
    await conn.execute(_FORGET_PERSON, values)


def person_content(person: StagedPerson) -> dict[str, Any]:
    """A staged person as JSON: ISO days, and nothing of the identity but what is sealed."""
    row = asdict(person.row)
    row.pop("identity")
    spell = row["spell"]
    spell["since"] = person.row.spell.since.isoformat()
    spell["until"] = person.row.spell.until.isoformat() if person.row.spell.until else ""
    return {"row": row, "identity": asdict(person.identity)}


async def staged_people(conn: Connection, import_id: str) -> list[StagedPerson]:
    """The good rows of a roster, in the order of the file."""
    return [_person(content) for content in await _contents(conn, import_id)]


def _person(content: Any) -> StagedPerson:
    # A row that the release before 0002 staged has the name once more, in clear.
    row = {name: value for name, value in content["row"].items() if name != "name"}
    spell = row["spell"]
    read = Spell(
        since=date.fromisoformat(spell["since"]),
        department_id=spell["department_id"],
        city=spell["city"],
        account_id=spell["account_id"],
        until=date.fromisoformat(spell["until"]) if spell["until"] else None,
    )
    documents = tuple(row["documents_missing"])
    return StagedPerson(
        row=RosterRow(**{**row, "spell": read, "documents_missing": documents}),
        identity=SealedIdentity(**content["identity"]),
    )


async def staged_wages(conn: Connection, import_id: str) -> list[WageRow]:
    """The good amounts of a wages file, in the order of the file."""
    return [
        WageRow(content["row"], content["employee_id"], content["employee_no"], *amount)
        for content in await _contents(conn, import_id)
        for amount in content["amounts"]
    ]


def wage_contents(rows: Sequence[WageRow]) -> list[dict[str, Any]]:
    """The amounts as JSON, one object a row of the file: a wide file has a dozen to a row."""
    return [
        {
            "row": number,
            "employee_id": amounts[0].employee_id,
            "employee_no": amounts[0].employee_no,
            "amounts": [
                [one.wage_month, one.code, one.amount_fen, one.counts_as_wage] for one in amounts
            ],
        }
        for number, amounts in (
            (number, list(group)) for number, group in groupby(rows, key=lambda one: one.row)
        )
    ]


def input_contents(rows: Sequence[WageInput]) -> list[dict[str, Any]]:
    return [asdict(row) for row in rows]


async def staged_inputs(conn: Connection, import_id: str) -> list[WageInput]:
    """The good items of a file of wage data, in the order of the file."""
    return [WageInput(**content) for content in await _contents(conn, import_id)]


def payslip_contents(slips: Sequence[SaidPayslip]) -> list[dict[str, Any]]:
    """Payslips as JSON, with an ISO payday or none."""
    return [
        {**asdict(slip), "payday": slip.payday.isoformat() if slip.payday else None}
        for slip in slips
    ]


async def staged_payslips(conn: Connection, import_id: str) -> list[SaidPayslip]:
    """The good rows of a file of payslips, in the order of the file."""
    return [
        SaidPayslip(
            **{
                **content,
                "payday": date.fromisoformat(content["payday"]) if content["payday"] else None,
                "withheld": tuple(SaidLine(**line) for line in content["withheld"]),
            }
        )
        for content in await _contents(conn, import_id)
    ]
