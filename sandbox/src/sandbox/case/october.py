"""October 2024 as it was lived: what the people of the case do, at the moments at which they do
it.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
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


class October:
    """The case in acts; `play` runs them in order. After it, `hr`, `xiaowang` and `employer_id`
    are there to ask.
    """

    def __init__(
        self, addresses: Addresses, client: httpx.AsyncClient, case: Case, narrator: Narrator
    ) -> None:
        self.addresses, self.client, self.case, self.say = addresses, client, case, narrator
        self.conductor = Conductor(addresses, client)
        self.employer_id = ""
        self.fault_id = ""

    async def play(self) -> None:
        for act in self.acts():
            await act()

    def acts(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        """The acts in their order; after each of them everything is at rest."""
        return (
            self._set_up,
            self._pay_salaries,
            self._declare,
            self._debit_and_hand_over,
            self._notice_what_is_missing,
            self._reply,
            self._hear_xiaowang,
            self._repair,
        )

    def at(self, name: str) -> datetime:
        """A moment of case.toml."""
        return datetime.fromisoformat(self.case.facts[name])

    async def _to(self, at: datetime) -> None:
        await self.conductor.to(at, self.say.passing)

    async def _set_up(self) -> None:
        facts = self.case.facts
        await self._to(self.at("starts_at"))
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
        self.say.tell(
            self.at("starts_at"), f"{facts['employer']['name']} is set up: 2 cities, 3 departments"
        )
        for file in (*ROSTERS, WAGES):
            await self._import(file.name, await self._staged(file))
        await self._to(self.at("starts_at"))

    async def _hr(self, sub: str) -> Person:
        return await register(
            self.addresses, self.client, sub, "hr", employer_ids=(self.employer_id,)
        )

    async def _staged(self, file: Any) -> Any:
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

    async def _pay_salaries(self) -> None:
        levy_period = self.case.levy_period
        await self._to(self.at("payroll_on"))
        counts = await self._counts()
        self.say.tell(
            self.at("payroll_on"),
            f"{levy_period} is open: K = {counts['K']} cells, {_states(counts)}",
        )
        run = await self.hr.post(
            PAYROLL, "/payroll-runs", {"employer_id": self.employer_id, "levy_period": levy_period}
        )
        await self.conductor.rest()
        await self.hr.post(PAYROLL, f"/payroll-runs/{run['run_id']}/approve")
        await self._to(self.at("payday"))
        await self.hr.post(PAYROLL, f"/payroll-runs/{run['run_id']}/pay")
        await self.conductor.rest()
        run = await self.hr.get(PAYROLL, f"/payroll-runs/{run['run_id']}")
        self.say.tell(
            self.at("payday"),
            f"salaries of {run['people']} people paid, payslips issued"
            " (the 5th is a holiday: paid before it)",
        )

    async def _declare(self) -> None:
        await self._to(self.at("approved_on"))
        for declaration in await self._declarations():
            await self.hr.post(
                CONTRIBUTION, f"/declarations/{declaration['declaration_id']}/approve"
            )
        await self.conductor.rest()
        for declaration in await self._declarations():
            self.say.tell(
                self.at("approved_on"),
                f"declaration {declaration['city']}: {declaration['people']} people,"
                f" {declaration['total_fen'] / 100:,.2f} yuan, approved and filed",
            )
        await self._to(datetime.fromisoformat("2024-10-09T09:00:00+08:00"))
        self.say.tell(
            await self.conductor.now(), "both declarations are verified by the collectors"
        )

    async def _declarations(self) -> list[Any]:
        answer: Any = await self.hr.get(
            CONTRIBUTION,
            "/declarations",
            employer_id=self.employer_id,
            levy_period=self.case.levy_period,
        )
        items: list[Any] = answer["items"] if isinstance(answer, dict) else answer
        return items

    async def _debit_and_hand_over(self) -> None:
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
        self.fault_id = (await order(self.addresses, self.client, "/faults", fault))["fault_id"]
        await self._to(datetime.fromisoformat("2024-10-10T19:30:00+08:00"))
        self.say.tell(
            await self.conductor.now(),
            "the bank has debited one sum per account; the detail is passed on;"
            f" {broken} is being upgraded",
        )
        await self._to(datetime.fromisoformat("2024-10-11T09:00:00+08:00"))
        self.say.tell(
            await self.conductor.now(), f"records looked up: {_states(await self._counts())}"
        )

    async def _notice_what_is_missing(self) -> None:
        await self._to(datetime.fromisoformat("2024-10-16T23:59:00+08:00"))
        self.say.tell(
            await self.conductor.now(),
            "the window of five working days ends (Saturday the 12th was worked)",
        )
        await self._to(datetime.fromisoformat("2024-10-17T12:00:00+08:00"))
        tickets = await self._tickets()
        told = await self.hr.all(
            NOTIFY, "/notifications", employer_id=self.employer_id, recipient_kind="hr"
        )
        missing = [notice for notice in told if notice["template"] == "hr_anomalies"]
        # One message for many people with one cause; the other tells of the missing work permit.
        missing.sort(key=lambda notice: len(notice["anomaly_ids"]))
        self.say.tell(
            await self.conductor.now(),
            f"RecordMissing: {_states(await self._counts())}; {len(tickets)} tickets are assigned",
        )
        for notice in missing[-1:]:
            self.say.note(f"HR is told before anyone asks: {notice['text'].splitlines()[0]}")

    async def _tickets(self, **query: Any) -> list[Any]:
        return await self.hr.all(TICKET, "/tickets", employer_id=self.employer_id, **query)

    async def _reply(self) -> None:
        await self._to(self.at("replied_at"))
        people = {"hr.chen": self.hr, "hr.zhao": await self._hr("hr.zhao")}
        tickets = [ticket for ticket in await self._tickets() if ticket["kind"] == "RecordMissing"]
        for ticket in tickets:
            reply = {"text": _FIRST_REPLY, "waiting_on": "bureau"}
            await people[ticket["assignee"]].post(
                TICKET, f"/tickets/{ticket['ticket_id']}/replies", reply
            )
        await self.conductor.rest()
        self.say.tell(
            self.at("replied_at"),
            f"HR has replied to {len(tickets)} tickets (due by the 21st);"
            " their clocks pause: waiting on the authority",
        )

    async def _hear_xiaowang(self) -> None:
        await self._to(self.at("feedback_at"))
        person = self.case.xiaowang
        employees = await self.hr.all(PAYROLL, "/employees", employer_id=self.employer_id)
        [employee] = [one for one in employees if one["employee_no"] == person.employee_no]
        self.xiaowang = await register(
            self.addresses,
            self.client,
            person.sub,
            "employee",
            employer_ids=(self.employer_id,),
            employee_id=employee["employee_id"],
        )
        answer = await self.xiaowang.post(
            PORTAL,
            "/me/feedback",
            {
                "levy_period": self.case.levy_period,
                "insurances": ["medical", "maternity"],
                "kind": "no_record",
                "text": _FEEDBACK,
            },
        )
        await self.conductor.rest()
        joined = "joins the ticket that is already there" if answer["joined"] else "opens a ticket"
        self.say.tell(
            self.at("feedback_at"),
            f"小王 asks on the portal; his feedback {joined}: {answer['number']}",
        )

    async def _repair(self) -> None:
        await self._to(self.at("repaired_at"))
        repair = {"records_on": self.case.facts["recorded_at"]}
        await order(self.addresses, self.client, f"/faults/{self.fault_id}/repair", repair)
        self.say.tell(
            self.at("repaired_at"),
            "the authority has repaired its interface and books what it had dropped",
        )
        await self._to(self.at("ends_at"))
        own = await self.xiaowang.all(NOTIFY, "/me/notifications")
        self.say.tell(
            datetime.fromisoformat("2024-11-02T08:00:00+08:00"),
            f"records found: {_states(await self._counts())}",
        )
        for notice in own:
            self.say.note(f"小王 reads: {notice['text']}")

    async def _counts(self) -> Any:
        return await self.hr.get(
            RECONCILIATION,
            "/cells/counts",
            employer_id=self.employer_id,
            levy_period=self.case.levy_period,
        )


def _states(counts: Any) -> str:
    return ", ".join(f"{count} {state}" for state, count in counts["states"].items() if count)
