"""The case left untreated: nobody replies, nothing is repaired, and October to December go missing
until the end of the year.
"""

from datetime import datetime

from sandbox.case.october import Month, October

_FEEDBACK = "10月到12月都查不到缴费记录。"


class Untreated(October):
    """October's acts without its replies, then November and December; `insurances` are those whose
    detail the authority drops.
    """

    insurances: tuple[str, ...] = ("medical", "maternity")

    async def play(self) -> None:
        await self.set_up()
        await self.pay_salaries(self.month)
        await self.declare(self.month)
        await self.break_authority(self.insurances)
        await self.debit_and_hand_over()
        await self.notice_what_is_missing()
        for month in self.later_months:
            await self.pay_salaries(month)
            await self.declare(month)
        facts = self.case.facts["untreated"]
        moments = {name: datetime.fromisoformat(text) for name, text in facts.items()}
        last = self.later_months[-1].levy_period
        await self.hear_xiaowang(moments["feedback_at"], last, _FEEDBACK, self.insurances)
        await self.repair(moments["repaired_at"], facts["recorded_at"])
        await self.read_notices(moments["looked_up_at"], moments["ends_at"])

    @property
    def later_months(self) -> list[Month]:
        """November and December."""
        return [Month.of(facts) for facts in self.case.facts["later_months"]]
