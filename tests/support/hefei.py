"""Hefei's pension in 2026 as a policy pack with the late notice of domain.md section 17, example
12.
"""

from datetime import date
from string import Template

_PACK = """\
schema_version: 1
city: '340100'
name: 合肥市
collector: tax-340100
passes_detail_on: false
sources:
  BEFORE: $before
  AFTER: $after
  RATES: 国办发〔2019〕13号
  SIL62: 社会保险法第六十二条
  SIL86: 社会保险法第八十六条
base:
  rule: last_year_average
  new_hire: first_month_wage
  after_raise: fixed_for_the_year
  contribution_year_starts_in_month: 1
days:
  - effective_from: '2025-01-01'
    known_since: '2025-01-01'
    source: [RATES]
    confidence: A
    open_day_of_month_before: 25
    open_at: '06:00'
    filing_day: 15
    debit_day: 10
    record_working_days: 5
    roll: next_working_day
    look_up_at: '08:00'
late_fee_per_day:
  - {$since_2011, value: '0.05', confidence: A, source: [SIL86]}
not_filed_percent_of_last_month:
  - {$since_2011, value: '110', confidence: A, source: [SIL62]}
insurances:
  pension:
    authority: hrss-340100
    rounding: {employer: fen_half_up, employee: fen_half_up, confidence: A, source: [RATES]}
    floor:
      - {$first, value: '4311.00', confidence: A, source: [BEFORE]}
      - {$late, value: '4354.00', confidence: A, source: [AFTER]}
    ceiling:
      - {$first, value: '21556.00', confidence: A, source: [BEFORE]}
      - {$late, value: '21772.00', confidence: A, source: [AFTER]}
    employer_rate:
      - {$since_2026, value: '16', confidence: A, source: [RATES]}
    employee_rate:
      - {$since_2026, value: '8', confidence: A, source: [RATES]}
person_kinds:
  regular: {name: 在职职工}
  retired_rehired:
    name: 退休返聘
    exempt: {pension: retired_rehired}
"""
_FIGURE = "effective_from: '{0}', effective_to: null, known_since: '{1}'"

LATE_NOTICE = "2026年9月7日缴费基数上下限公告"
LATE_NOTICE_ON = date(2026, 9, 7)
"""Until then the floor of 2026 is 4,311 yuan, from then on 4,354 since 1 January."""


def hefei_pack() -> bytes:
    """The pack's YAML with both notices."""
    text = Template(_PACK).substitute(
        since_2011=_FIGURE.format("2011-07-01", "2010-10-28"),
        since_2026=_FIGURE.format("2026-01-01", "2025-01-01"),
        first=_FIGURE.format("2026-01-01", "2025-09-01"),
        late=_FIGURE.format("2026-01-01", LATE_NOTICE_ON),
        before="2025年缴费基数上下限公告",
        after=LATE_NOTICE,
    )
    return text.encode()
