"""October 2024 as it was lived: what the people of the case do, at the moments at which they do
it. Each act stands alone, so that other courses of the case are played from the same pieces.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from sandbox.case.addresses import Addresses
from sandbox.case.conductor import Conductor
from sandbox.case.narrator import Narrator
from sandbox.case.people import Person, order, register
from sandbox.case.roster import ROSTERS, WAGES, Case

PAYROLL, CONTRIBUTION, TICKET = "payroll-svc", "contribution-svc", "ticket-svc"
RECONCILIATION, NOTIFY, PORTAL = "reconciliation-svc", "notify-svc", "portal-svc"
_FIRST_REPLY = "已联系经办机构核查，正在等待对方修复接口。"
_FEEDBACK = "10月的医疗险和生育险查不到缴费记录。"


@dataclass(frozen=True, slots=True)
class Month:
    """One levy period's days: when HR computes and pays salaries, and approves what is declared."""

    levy_period: str
    payroll_on: datetime
    payday: datetime
    approved_on: datetime

    @classmethod
    def of(cls, facts: dict[str, Any]) -> "Month":
        """From a table of case.toml."""
        moments = {
            name: datetime.fromisoformat(facts[name])
            for name in ("payroll_on", "payday", "approved_on")
        }
        return cls(levy_period=facts["levy_period"], **moments)


class October:
    """The case in acts; `play` runs them in order. After it, `hr`, `xiaowang` and `employer_id`
    are there to ask.
    """

    def __init__(
        self, addresses: Addresses, client: httpx.AsyncClient, case: Case, narrator: Narrator
    ) -> None:
        self.addresses, self.client, self.case, self.say = addresses, client, case, narrator
        self.conductor = Conductor(addresses, client)
        self.month = Month.of(case.facts)
        self.employer_id = ""
        self.fault_id = ""

    async def play(self) -> None:
        for act in self.acts():
            await act()

    def acts(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """The acts in their order; after each of them everything is at rest."""
        looked_up_at = datetime.fromisoformat("2024-11-02T08:00:00+08:00")
        return (
            self.set_up,
            partial(self.pay_salaries, self.month, "the 5th is a holiday: paid before it"),
            partial(self.declare, self.month),
            self.break_authority,
            self.debit_and_hand_over,
            self.notice_what_is_missing,
            partial(self.reply, self.at("replied_at")),
            partial(self.hear_xiaowang, self.at("feedback_at"), self.month.levy_period, _FEEDBACK),
            partial(self.repair, self.at("repaired_at"), self.case.facts["recorded_at"]),
            partial(self.read_notices, looked_up_at, self.at("ends_at")),
        )

    def at(self, name: str) -> datetime:
        """A moment of case.toml."""
        return datetime.fromisoformat(self.case.facts[name])

    async def to(self, at: datetime) -> None:
        await self.conductor.to(at, self.say.passing)

    async def set_up(self) -> None:
        """The employer, its accounts and HR staff; then the roster and last year's wages."""
        await self.found_employer()
        await self.take_in(*ROSTERS, WAGES)

    async def found_employer(self) -> None:
        facts = self.case.facts
        await self.to(self.at("starts_at"))
        operator = await register(self.addresses, self.client, "operator", "operator")
        employer = await operator.post(
            PAYROLL,
            "/employers",
            {
                **facts["employer"],
                "accounts": facts["accounts"],
                "departments": facts["departments"],
                "hr_staff": facts["hr_staff"],
            },
        )
        self.employer_id = employer["employer_id"]
        for account in facts["accounts"]:
            agreement = {
                "party": account["collector"],
                "AAB001": account["account_no"],
                "bank_account_ref": account["bank_account_ref"],
                "holder": facts["employer"]["name"],
            }
            await order(self.addresses, self.client, "/agreements", agreement)
        self.operator = operator
        self.hr = await self._hr("hr.chen")
        # Whoever checks a payroll run does not approve it.
        self.second = await self._hr("hr.zhao")
        self.say.tell(
            self.at("starts_at"), f"{facts['employer']['name']} is set up: 2 cities, 3 departments"
        )

    async def take_in(self, *files: Path) -> None:
        """HR imports these files; none of their rows is refused."""
        for file in files:
            await self._import(file.name, await self._staged(file))
        await self.to(self.at("starts_at"))

    async def _hr(self, sub: str) -> Person:
        return await register(
            self.addresses, self.client, sub, "hr", employer_ids=(self.employer_id,)
        )

    async def _staged(self, file: Path) -> Any:
        kind = "wages" if file == WAGES else "roster"
        staged = await self.hr.upload(
            PAYROLL, "/imports", file, kind=kind, employer_id=self.employer_id
        )
        await self.conductor.rest()
        return staged

    async def _import(self, name: str, staged: Any) -> None:
        assert not staged["faults"], staged["faults"][:5]
        await self.hr.post(PAYROLL, f"/imports/{staged['import_id']}/apply", {"take": "whole"})
        await self.conductor.rest()
        self.say.note(f"{name}: {staged['rows']} rows taken in, none refused")

    async def pay_salaries(self, month: Month, remark: str = "") -> None:
        """Salaries computed, approved and paid; `remark` says what is special about the payday."""
        await self.to(month.payroll_on)
        counts = await self.counts(month.levy_period)
        self.say.tell(
            month.payroll_on,
            f"{month.levy_period} is open: K = {counts['K']} cells, {states_text(counts)}",
        )
        order_of = {"employer_id": self.employer_id, "levy_period": month.levy_period}
        run = await self.hr.post(PAYROLL, "/payroll-runs", order_of)
        await self.conductor.rest()
        await self.hr.post(PAYROLL, f"/payroll-runs/{run['run_id']}/check")
        await self.second.post(PAYROLL, f"/payroll-runs/{run['run_id']}/approve")
        await self.to(month.payday)
        await self.hr.post(PAYROLL, f"/payroll-runs/{run['run_id']}/pay")
        await self.conductor.rest()
        run = await self.hr.get(PAYROLL, f"/payroll-runs/{run['run_id']}")
        self.say.tell(
            month.payday,
            f"salaries of {run['people']} people paid, payslips issued"
            + (f" ({remark})" if remark else ""),
        )

    async def declare(self, month: Month) -> None:
        """HR approves each account's declaration; the next morning the collectors have verified."""
        await self.to(month.approved_on)
        for declaration in await self.declarations(month.levy_period):
            await self.hr.post(
                CONTRIBUTION, f"/declarations/{declaration['declaration_id']}/approve"
            )
        await self.conductor.rest()
        for declaration in await self.declarations(month.levy_period):
            self.say.tell(
                month.approved_on,
                f"declaration {declaration['city']}: {declaration['people']} people,"
                f" {declaration['total_fen'] / 100:,.2f} yuan, approved and filed",
            )
        morning = month.approved_on + timedelta(days=1)
        await self.to(morning.replace(hour=9, minute=0))
        self.say.tell(
            await self.conductor.now(), "both declarations are verified by the collectors"
        )

    async def declarations(self, levy_period: str) -> list[Any]:
        answer: Any = await self.hr.get(
            CONTRIBUTION, "/declarations", employer_id=self.employer_id, levy_period=levy_period
        )
        items: list[Any] = answer["items"] if isinstance(answer, dict) else answer
        return items

    async def break_authority(self, insurances: tuple[str, ...] = ()) -> None:
        """The authority announces its upgrade, and from it on says accepted and drops the detail:
        of these insurances, of all if none is named.
        """
        broken = self.case.facts["broken_authority"]
        notice = {
            "party": broken,
            "kind": "upgrade",
            "from": self.case.facts["upgrade_from"],
            "until": self.case.facts["upgrade_until"],
            "text": "系统升级，升级期间业务可受理，入账可能延迟。",
        }
        await order(self.addresses, self.client, "/notices", notice)
        fault = {
            "party": broken,
            "kind": "accept_and_drop",
            "from": self.case.facts["upgrade_from"],
        }
        if insurances:
            fault["insurances"] = list(insurances)
        self.fault_id = (await order(self.addresses, self.client, "/faults", fault))["fault_id"]

    async def debit_and_hand_over(self) -> None:
        await self.to(datetime.fromisoformat("2024-10-10T19:30:00+08:00"))
        self.say.tell(
            await self.conductor.now(),
            "the bank has debited one sum per account; the detail is passed on;"
            f" {self.case.facts['broken_authority']} is being upgraded",
        )
        await self.to(datetime.fromisoformat("2024-10-11T09:00:00+08:00"))
        self.say.tell(
            await self.conductor.now(),
            f"records looked up: {states_text(await self.counts(self.month.levy_period))}",
        )

    async def notice_what_is_missing(self) -> None:
        await self.to(datetime.fromisoformat("2024-10-16T23:59:00+08:00"))
        self.say.tell(
            await self.conductor.now(),
            "the window of five working days ends (Saturday the 12th was worked)",
        )
        await self.to(datetime.fromisoformat("2024-10-17T12:00:00+08:00"))
        tickets, october = await self.tickets(), self.month.levy_period
        told = await self.hr.all(
            NOTIFY, "/notifications", employer_id=self.employer_id, recipient_kind="hr"
        )
        missing = [notice for notice in told if notice["template"] == "hr_anomalies"]
        # One message for many people with one cause; the other tells of the missing work permit.
        missing.sort(key=lambda notice: len(notice["anomaly_ids"]))
        self.say.tell(
            await self.conductor.now(),
            f"RecordMissing: {states_text(await self.counts(october))};"
            f" {len(tickets)} tickets are assigned",
        )
        for notice in missing[-1:]:
            self.say.note(f"HR is told before anyone asks: {notice['text'].splitlines()[0]}")

    async def tickets(self, **query: Any) -> list[Any]:
        return await self.hr.all(TICKET, "/tickets", employer_id=self.employer_id, **query)

    async def reply(self, at: datetime) -> None:
        """HR answers every ticket about a missing record: it waits on the authority."""
        await self.to(at)
        people = {"hr.chen": self.hr, "hr.zhao": self.second}
        tickets = [ticket for ticket in await self.tickets() if ticket["kind"] == "RecordMissing"]
        for ticket in tickets:
            reply = {"text": _FIRST_REPLY, "waiting_on": "bureau"}
            await people[ticket["assignee"]].post(
                TICKET, f"/tickets/{ticket['ticket_id']}/replies", reply
            )
        await self.conductor.rest()
        self.say.tell(
            at,
            f"HR has replied to {len(tickets)} tickets (due by the 21st);"
            " their clocks pause: waiting on the authority",
        )

    async def hear_xiaowang(
        self,
        at: datetime,
        levy_period: str,
        text: str,
        insurances: tuple[str, ...] = ("medical", "maternity"),
    ) -> None:
        """小王 signs in and reports on the portal that the records of these are not there."""
        await self.to(at)
        await self.sign_in_xiaowang()
        answer = await self.xiaowang.post(
            PORTAL,
            "/me/feedback",
            {
                "levy_period": levy_period,
                "insurances": list(insurances),
                "kind": "no_record",
                "text": text,
            },
        )
        await self.conductor.rest()
        joined = "joins the ticket that is already there" if answer["joined"] else "opens a ticket"
        self.say.tell(at, f"小王 asks on the portal; his feedback {joined}: {answer['number']}")

    async def sign_in_xiaowang(self) -> None:
        person = self.case.xiaowang
        self.xiaowang = await register(
            self.addresses,
            self.client,
            person.sub,
            "employee",
            employer_ids=(self.employer_id,),
            employee_id=(await self.employee_ids())[person.employee_no],
        )

    async def employee_ids(self) -> dict[str, str]:
        """Everyone's id by employee number."""
        employees = await self.hr.all(PAYROLL, "/employees", employer_id=self.employer_id)
        return {one["employee_no"]: one["employee_id"] for one in employees}

    async def repair(self, at: datetime, records_on: str) -> None:
        """The authority repairs its interface; what was dropped is booked at `records_on`."""
        await self.to(at)
        repair = {"records_on": records_on}
        await order(self.addresses, self.client, f"/faults/{self.fault_id}/repair", repair)
        self.say.tell(at, "the authority has repaired its interface and books what it had dropped")

    async def read_notices(self, looked_up_at: datetime, at: datetime) -> None:
        """What the look-ups after the repair have found, and what 小王 reads."""
        await self.to(at)
        own = await self.xiaowang.all(NOTIFY, "/me/notifications")
        self.say.tell(
            looked_up_at,
            f"records found: {states_text(await self.counts(self.month.levy_period))}",
        )
        for notice in own:
            self.say.note(f"小王 reads: {notice['text']}")

    async def counts(self, levy_period: str) -> Any:
        """K and the cells by state."""
        return await self.hr.get(
            RECONCILIATION,
            "/cells/counts",
            employer_id=self.employer_id,
            levy_period=levy_period,
        )


def states_text(counts: Any) -> str:
    """`290 arrived, 5 not_required`: the states that some cell is in."""
    return ", ".join(f"{count} {state}" for state, count in counts["states"].items() if count)
