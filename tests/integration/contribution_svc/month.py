"""contribution-svc on a real database without its loops: each event, job and request is made by the
test.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import asyncpg
import httpx
import msgspec
from sqlalchemy import text
from standardwebhooks import Webhook

from contribution_svc.settings import Settings
from shared import db
from shared.clock import CHINA, FixedClock, system_now
from shared.codec import Received, body_of, headers_of
from shared.consumer import Outcome, apply_batch
from shared.contracts import (
    EVENTS,
    AccountFact,
    BureauAck,
    BureauRow,
    ContributionAssessed,
    ContributionPosted,
    EmployeeChanged,
    EmployerChanged,
    Event,
    SalaryComputed,
    SpellFact,
)
from shared.serve import Parts, Wiring
from shared.values import Insurance
from tests.integration.contribution_svc.bank import Bank
from tests.support.bank_statements import Booking, camt
from tests.support.invariants.collect import collect_store, decode_json
from tests.support.invariants.facts import Facts, Given
from tests.support.issuer import Issuer

EMPLOYER, OTHER_EMPLOYER = "employer-1", "employer-2"
ACCOUNT, ACCOUNT_NO, PERIOD = "account-1", "9901000001", "2024-10"
WEBHOOK_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
REMARK = f"社保费 {ACCOUNT_NO} 202410"
WANG = "xiaowang"


def china(text_: str) -> datetime:
    """'2024-10-08 09:00' in Asia/Shanghai."""
    return datetime.fromisoformat(text_).replace(tzinfo=CHINA)


def employer(version: int = 1, employer_id: str = EMPLOYER, **changes: Any) -> EmployerChanged:
    """One employer with an account in each example city; both are debited at one bank account."""
    facts: dict[str, Any] = {
        "group_id": "group-1",
        "name": "示例科技有限公司",
        "uscc": "91110000600037341L",
        "cut_over": PERIOD,
        "payday": 5,
        "accounts": (
            AccountFact(
                account_id=ACCOUNT if employer_id == EMPLOYER else f"{employer_id}-account",
                account_no=ACCOUNT_NO,
                city="990100",
                collector="tax-990100",
                bank_account_ref="BANK-1" if employer_id == EMPLOYER else "BANK-9",
            ),
        ),
        "departments": (),
    }
    return EmployerChanged(version=version, employer_id=employer_id, **{**facts, **changes})


def employee(employee_id: str = WANG, version: int = 1, **changes: Any) -> EmployeeChanged:
    since = changes.pop("since", "2020-03-01")
    spell = SpellFact(
        since=since,
        until=changes.pop("until", ""),
        department_id="operations",
        city="990100",
        account_id=changes.pop("account_id", ACCOUNT),
    )
    facts: dict[str, Any] = {
        "employer_id": EMPLOYER,
        "employee_no": f"no-{employee_id}",
        "person_kind": "regular",
        "spells": (spell,),
    }
    return EmployeeChanged(version=version, employee_id=employee_id, **{**facts, **changes})


def wage(
    employee_id: str,
    month: str,
    wage_fen: int,
    purpose: str = "history",
    version: int = 1,
) -> SalaryComputed:
    return SalaryComputed(
        version=version,
        employee_id=employee_id,
        employer_id=EMPLOYER,
        levy_period=month,
        purpose=purpose,
        run_id="run-1",
        gross_fen=wage_fen,
        wage_fen=wage_fen,
    )


def last_year(employee_id: str = WANG, wage_fen: int = 950_000) -> list[SalaryComputed]:
    """Twelve equal months of 2023."""
    return [wage(employee_id, f"2023-{month:02d}", wage_fen) for month in range(1, 13)]


def filed(employee_id: str = WANG, version: int = 1, stage: str = "filed") -> BureauAck:
    """The collector has taken the employee's lines in."""
    row = BureauRow(insurance=Insurance.MEDICAL, stage=stage, authority="medical-990100")
    return BureauAck(
        version=version,
        employee_id=employee_id,
        employer_id=EMPLOYER,
        levy_period=PERIOD,
        account_id=ACCOUNT,
        rows=(row,),
    )


@dataclass
class Month:
    """The service, its bank and its clock; `superuser_url` opens its database."""

    parts: Parts[Settings]
    wiring: Wiring
    clock: FixedClock
    http: httpx.AsyncClient
    issuer: Issuer
    bank: Bank
    superuser_url: str
    keys: int = 0

    async def hear(self, *events: Event) -> Outcome:
        """One batch of one partition, as Kafka would bring it."""
        records = [_record(event) for event in events]
        handlers = self.wiring.handlers
        return await apply_batch(self.parts.worker, handlers, "contribution-svc", records)

    async def work(self, at: str = "") -> None:
        """Every job until none has work, at the business time given from now on."""
        if at:
            self.clock.set(china(at))
        for _ in range(200):
            done = 0
            for job in self.wiring.jobs:
                async with db.transaction(self.parts.worker) as conn:
                    due = await job.due(conn)
                if due is not None and due <= self.clock.now():
                    done += await job.run(self.clock.now())
            if not done:
                return
        raise AssertionError("the jobs do not come to rest")

    async def next_due(self) -> datetime | None:
        async with db.transaction(self.parts.worker) as conn:
            times = [await job.due(conn) for job in self.wiring.jobs]
        return min((at for at in times if at is not None), default=None)

    async def told(self, kind: type[Event]) -> list[Any]:
        """Every event of one kind told so far, in order."""
        rows = await self.rows("SELECT type, payload FROM outbox ORDER BY seq")
        events = [msgspec.json.decode(row.payload, type=EVENTS[row.type]) for row in rows]
        return [event for event in events if isinstance(event, kind)]

    async def take_back(self, told: Sequence[Event], told_at: str) -> Sequence[str]:
        """What `recover` does with our own events, told at this time in China, once those of others
        were heard; its notes.
        """
        recovery, time = self.wiring.recovery, china(told_at).isoformat()
        received = [Received(one, str(one.event_id()), b"", "", time) for one in told]
        async with db.transaction(self.parts.worker) as conn:
            for keeper in dict.fromkeys(recovery.own.values()):
                run = [one for one in received if recovery.own.get(type(one.event)) is keeper]
                if run:
                    await keeper(conn, run)
            return await recovery.settle(conn, self.clock.now())

    async def rows(self, statement: str) -> list[Any]:
        async with db.transaction(self.parts.worker) as conn:
            return list(await conn.execute(text(statement)))

    async def assessed(self, employee_id: str = WANG) -> ContributionAssessed:
        """The employee's newest assessment."""
        found = [e for e in await self.told(ContributionAssessed) if e.employee_id == employee_id]
        assert found, f"{employee_id} was not assessed"
        newest: ContributionAssessed = found[-1]
        return newest

    async def posted(self, employee_id: str = WANG) -> ContributionPosted:
        found = [e for e in await self.told(ContributionPosted) if e.employee_id == employee_id]
        assert found, f"nothing was posted for {employee_id}"
        newest: ContributionPosted = found[-1]
        return newest

    def hr(self, employer_id: str = EMPLOYER) -> dict[str, str]:
        return self.issuer.headers("hr-li", ["hr"], employer_ids=[employer_id])

    def operator(self, sub: str = "operator-1") -> dict[str, str]:
        return self.issuer.headers(sub, ["operator"])

    def person(self, employee_id: str = WANG) -> dict[str, str]:
        return self.issuer.headers(
            "somebody", ["employee"], employer_ids=[EMPLOYER], employee_id=employee_id
        )

    async def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return await self.http.get(path, headers=headers if headers is not None else self.hr())

    async def post(
        self, path: str, headers: dict[str, str] | None = None, key: str = "", **content: Any
    ) -> httpx.Response:
        """A POST with an idempotency key: a new one unless the test gives one."""
        self.keys += 1
        signed = headers if headers is not None else self.hr()
        with_key = {**signed, "Idempotency-Key": key or f"key-{self.keys}"}
        return await self.http.post(path, headers=with_key, **content)

    async def declaration(self) -> Any:
        """The one declaration of October, as HR sees it."""
        answer = await self.get(f"/declarations?employer_id={EMPLOYER}&levy_period={PERIOD}")
        assert answer.status_code == 200, answer.text
        [declaration] = answer.json()["items"]
        return declaration

    async def approve(self, key: str = "") -> httpx.Response:
        declaration_id = (await self.declaration())["declaration_id"]
        return await self.post(f"/declarations/{declaration_id}/approve", key=key)

    async def open(self, *people: EmployeeChanged) -> None:
        """October opened, with 小王 and these people on the roster."""
        await self.hear(employer())
        await self.hear(employee(), *people)
        await self.hear(*last_year())
        await self.work("2024-09-25 06:00")

    async def upload(self, content: bytes, name: str = "s.xml", key: str = "") -> httpx.Response:
        return await self.post(
            "/statements", key=key, data={"employer_id": EMPLOYER}, files={"file": (name, content)}
        )

    async def debit(self, *bookings: Booking, bank_id: str = "S1", **facts: Any) -> Any:
        """A statement with these bookings, uploaded; the answer's JSON."""
        answer = await self.upload(camt(bank_id, bookings, **facts))
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def webhook(self, body: object, webhook_id: str = "msg_1") -> httpx.Response:
        """The bank's word, signed as it signs."""
        raw = json.dumps(body)
        now = system_now()
        headers = {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(WEBHOOK_SECRET).sign(webhook_id, now, raw),
        }
        return await self.http.post("/webhooks/bank", headers=headers, content=raw)


def _record(event: Event) -> Any:
    """The event as the broker hands it over."""
    headers = headers_of(
        str(event.event_id()),
        event.ce_type(),
        "/tests",
        event.aggregate(),
        china("2024-09-20 09:00"),
        "",
    )
    return SimpleNamespace(
        topic=event.TOPIC,
        partition=0,
        offset=0,
        key=event.key().encode(),
        value=body_of(event),
        headers=headers,
    )


async def facts_of(month: Month) -> Facts:
    """What the invariants' checker reads of the service's store."""
    connection = await asyncpg.connect(month.superuser_url)
    try:
        await decode_json(connection)
        return Facts(
            {"contribution_svc": await collect_store(connection, "contribution_svc")},
            month.clock.now(),
            Given(),
        )
    finally:
        await connection.close()
