"""The service over a database of its own, and the facts that it hears."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import httpx
import msgspec
from sqlalchemy import text

from bureau_sync_svc.settings import BureauSyncSettings
from shared.clock import CHINA, FixedClock
from shared.codec import Tombstone, body_of, headers_of
from shared.consumer import Outcome, apply_batch
from shared.contracts import (
    EVENTS,
    IDENTITIES,
    AssessedLine,
    BureauAck,
    BureauRow,
    ContributionAssessed,
    ContributionPosted,
    DeclarationApproved,
    EmployeeSealed,
    Event,
    PolicyChanged,
    PostedLine,
    SchemeFact,
)
from shared.db import Engine, transaction
from shared.sealed import Sealer
from shared.serve import Parts, Wiring
from shared.values import Insurance
from tests.integration.bureau_sync_svc.party import Party
from tests.support.issuer import Issuer

COLLECTOR, AUTHORITY = "tax-990100", "medical-990100"
EMPLOYER, ACCOUNT, ACCOUNT_NO, PERIOD = "employer-1", "account-1", "0099-01", "2024-10"
ID_NUMBERS = {
    "e1": "990100199001010017",
    "e2": "99010019900202002X",
    "e3": "990100199003030033",
}


def china(text_: str) -> datetime:
    """'2024-10-08 09:00' in Asia/Shanghai."""
    return datetime.fromisoformat(text_).replace(tzinfo=CHINA)


@dataclass
class World:
    """The service over a database of its own, driven like its process does: events in, jobs when
    they are due.
    """

    parts: Parts[BureauSyncSettings]
    wiring: Wiring
    clock: FixedClock
    http: httpx.AsyncClient
    issuer: Issuer
    collector: Party
    authority: Party
    sealer: Sealer

    @property
    def engine(self) -> Engine:
        return self.parts.worker

    async def hear(self, *events: Event) -> Outcome:
        """One batch of one partition, as the broker brings it."""
        records = [_record(event) for event in events]
        return await apply_batch(self.engine, self.wiring.handlers, "bureau-sync-svc", records)

    async def work(self, at: datetime) -> None:
        """Every job until none has work at this business time."""
        self.clock.set(at)
        for _ in range(100):
            done = 0
            for job in self.wiring.jobs:
                async with transaction(self.engine) as conn:
                    due = await job.due(conn)
                if due is not None and due <= at:
                    done += await job.run(at)
            if not done:
                return
        raise AssertionError("the jobs do not come to rest")

    async def next_due(self) -> datetime | None:
        """The least business time at which a job has work."""
        async with transaction(self.engine) as conn:
            times = [await job.due(conn) for job in self.wiring.jobs]
        return min((at for at in times if at is not None), default=None)

    async def told(self) -> list[Event]:
        """Everything in the outbox, in order."""
        return [
            msgspec.json.decode(row.payload, type=EVENTS[row.type])
            for row in await self.query("SELECT type, payload FROM outbox ORDER BY seq")
        ]

    async def acks(self, employee_id: str = "e1") -> list[BureauAck]:
        return [
            event
            for event in await self.told()
            if isinstance(event, BureauAck) and event.employee_id == employee_id
        ]

    async def row(self, employee_id: str = "e1") -> BureauRow:
        """The medical row as last told."""
        return (await self.acks(employee_id))[-1].rows[0]

    async def query(self, statement: str) -> list[Any]:
        async with transaction(self.engine) as conn:
            return list(await conn.execute(text(statement)))

    async def change(self, statement: str) -> None:
        """What a death in the middle would have left behind."""
        async with transaction(self.engine) as conn:
            await conn.execute(text(statement))

    def sealed(self, employee_id: str, version: int = 1) -> EmployeeSealed:
        data = {"name": "王小明", "id_no": ID_NUMBERS[employee_id]}
        sealed = self.sealer.seal(EMPLOYER, employee_id, data)
        return EmployeeSealed(
            version=version,
            employee_id=employee_id,
            employer_id=EMPLOYER,
            sealed=sealed.sealed,
            wrapped_key=sealed.wrapped_key,
            root_key_id=sealed.root_key_id,
        )

    def hr(self, *employer_ids: str) -> dict[str, str]:
        return self.issuer.headers("hr-li", ["hr"], employer_ids=employer_ids or [EMPLOYER])

    def employee(self, employee_id: str) -> dict[str, str]:
        return self.issuer.headers(
            "someone", ["employee"], employer_ids=[EMPLOYER], employee_id=employee_id
        )

    async def get(self, path: str, headers: dict[str, str], **query: str) -> Any:
        """The answer's JSON."""
        answer = await self.http.get(path, headers=headers, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def approve(self, *employee_ids: str) -> None:
        """Everything up to an approved declaration of these people."""
        await self.hear(policy(), *(self.sealed(one) for one in employee_ids))
        await self.hear(*(assessed(one) for one in employee_ids), approved(*employee_ids))

    def serial(self) -> str:
        return next(iter(self.collector.submissions))

    def verify(self) -> None:
        """The collector verifies what it holds, as filed."""
        body = self.collector.submissions[self.serial()]
        self.collector.verdicts[self.serial()] = {
            "serial": self.serial(),
            "state": "verified",
            "lines": body["lines"],
            "total": f"{950 * len(body['lines'])}.00",
        }

    def record(self, employee_id: str = "e1", flag: str = "1") -> None:
        """The authority books what was due."""
        self.authority.records.append(
            {
                "AAC002": ID_NUMBERS[employee_id],
                "AAE140": "310",
                "AAE003": "202410",
                "AAA115": "10",
                "AAE180": "9500.00",
                "AAE080": "760.00",
                "AAE082": "190.00",
                "AAE078": flag,
                "EAD131": "20241011",
            }
        )


def _record(event: Event) -> Any:
    is_deletion = isinstance(event, Tombstone)
    headers = headers_of(
        str(event.event_id()),
        event.ce_type(),
        "/tests",
        event.aggregate(),
        china("2024-10-08 09:00"),
        "",
    )
    return SimpleNamespace(
        topic=IDENTITIES if is_deletion else event.TOPIC,
        partition=0,
        offset=0,
        key=event.key().encode(),
        value=None if is_deletion else body_of(event),
        headers=headers,
    )


def policy(*, passes_detail_on: bool = True) -> PolicyChanged:
    scheme = SchemeFact(
        insurance=Insurance.MEDICAL,
        effective_from="2024-01-01",
        authority=AUTHORITY,
        floor_fen=500_000,
        ceiling_fen=2_000_000,
        employer_ppm=80_000,
        employee_ppm=20_000,
    )
    return PolicyChanged(
        version=1,
        city="990100",
        city_name="示例甲市",
        known_since="2024-01-01",
        collector=COLLECTOR,
        passes_detail_on=passes_detail_on,
        filing_day=15,
        debit_day=10,
        record_working_days=5,
        scheme=(scheme,),
    )


def assessed(employee_id: str, version: int = 1) -> ContributionAssessed:
    line = AssessedLine(
        insurance=Insurance.MEDICAL,
        state="due",
        authority=AUTHORITY,
        base_fen=950_000,
        employer_fen=76_000,
        employee_fen=19_000,
    )
    return ContributionAssessed(
        version=version,
        employee_id=employee_id,
        employer_id=EMPLOYER,
        levy_period=PERIOD,
        city="990100",
        account_id=ACCOUNT,
        department_id="d1",
        file_by="2024-10-09",
        debit_by="2024-10-10",
        lines=(line,),
    )


def approved(*employee_ids: str, version: int = 1, assessed_at: int = 1) -> DeclarationApproved:
    people = len(employee_ids)
    listed = "\n".join(sorted(f"{one}:{assessed_at}" for one in employee_ids))
    return DeclarationApproved(
        version=version,
        declaration_id="declaration-1",
        account_id=ACCOUNT,
        account_no=ACCOUNT_NO,
        employer_id=EMPLOYER,
        city="990100",
        collector=COLLECTOR,
        levy_period=PERIOD,
        people=people,
        sums_fen={"medical": (76_000 * people, 19_000 * people)},
        total_fen=95_000 * people,
        lines_hash=hashlib.sha256(listed.encode()).hexdigest(),
        file_by="2024-10-09",
        debit_on="2024-10-10",
        approved_by="hr-1",
        approved_at="2024-10-08T01:00:00Z",
    )


def posted(employee_id: str) -> ContributionPosted:
    line = PostedLine(
        insurance=Insurance.MEDICAL,
        debit_state="posted",
        debits=1,
        employer_fen=76_000,
        employee_fen=19_000,
        debited_on="2024-10-10",
        record_by="2024-10-16",
        statement_id="s1",
        voucher="v1",
    )
    return ContributionPosted(
        version=1,
        employee_id=employee_id,
        employer_id=EMPLOYER,
        levy_period=PERIOD,
        city="990100",
        account_id=ACCOUNT,
        declaration_id="declaration-1",
        lines=(line,),
    )


def deleted(employee_id: str) -> Tombstone:
    return Tombstone(version=0, deleted_key=employee_id)
