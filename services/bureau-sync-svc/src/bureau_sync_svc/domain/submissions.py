"""What a reply to a submission means: taken, verified, refused, not arrived, or unknown. Nothing is
believed by halves.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from bureau_sync_svc.domain import wire
from bureau_sync_svc.domain.lines import Sums
from bureau_sync_svc.domain.wire import Answer, Item, Unreadable


class Kind(StrEnum):
    """What is submitted: 申报 to the collector, or 缴费明细 to an authority."""

    FILING = "filing"
    DETAIL = "detail"


class State(StrEnum):
    """Where a submission stands.

    waiting: not complete yet. ready: complete, not sent, or known not to have arrived. sending: the
    intent is committed, a reply is not. unknown: sent, no answer; asked about by serial, never sent
    again as new. taken, verified, refused: as the party says. conflict: must not be sent, a person
    decides. withdrawn: replaced before it was ever sent.
    """

    WAITING = "waiting"
    READY = "ready"
    SENDING = "sending"
    UNKNOWN = "unknown"
    TAKEN = "taken"
    VERIFIED = "verified"
    REFUSED = "refused"
    CONFLICT = "conflict"
    WITHDRAWN = "withdrawn"


ASKED_ABOUT = frozenset({State.SENDING, State.UNKNOWN, State.TAKEN})
MAY_BE_ALIVE = frozenset({State.SENDING, State.UNKNOWN, State.TAKEN, State.VERIFIED})
"""The party may hold it: while one of these stands, no other submission of the declaration may be
sent.
"""

LineKey = tuple[str, str]
"""Employee id and insurance."""

People = Mapping[str, str]
"""Our employee id by identity number, for every number in a reply that is one of ours."""


class Outcome(StrEnum):
    """What an exchange came to, for the sync log and the metrics."""

    ANSWERED = "answered"
    REFUSED = "refused"
    CLOSED = "closed"
    LIMITED = "limited"
    NOT_SENT = "not_sent"
    NO_ANSWER = "no_answer"
    UNREADABLE = "unreadable"
    UNKNOWN_SERIAL = "unknown_serial"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a submission holds, and who the identity numbers in a reply about it are."""

    lines: frozenset[LineKey]
    people: People

    def key(self, line: Item) -> LineKey:
        """Whose line it is; the employee id is empty for someone who is not ours."""
        id_no = wire.text_of(line, "AAC002").upper()
        return (self.people.get(id_no, ""), wire.insurance_of(line))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from one exchange about a submission.

    `state` is the submission's next one; `verified` the collector's figures by line; `line_reasons`
    its words about single lines, `line_states` its states of them; `strangers` counts rows about
    people nobody asked about (kept for nobody).
    """

    state: State
    outcome: Outcome
    reason: str = ""
    verified: Mapping[LineKey, Sums] = field(default_factory=dict)
    line_reasons: Mapping[LineKey, str] = field(default_factory=dict)
    line_states: Mapping[LineKey, str] = field(default_factory=dict)
    strangers: int = 0


class _Said(msgspec.Struct, frozen=True):
    serial: str
    state: str
    text: str = ""
    lines: list[Item] = []
    total: str | None = None


class _Problem(msgspec.Struct, frozen=True):
    code: str
    text: str = ""
    lines: list[Item] = []


_NEVER_TAKEN = frozenset({400, 413, 415, 422})
"""Refusals of the content itself: sending the same again cannot help."""


def after_sending(kind: Kind, serial: str, answer: Answer, asked: Asked) -> Verdict:
    """What a reply to the submission itself means. Whatever is not definite leaves the outcome
    unknown.
    """
    if answer.status in (200, 202):
        try:
            said = wire.read_json(answer.body, _Said)
            _check_serial(said.serial, serial)
            return _by_state(kind, State.UNKNOWN, said, asked)
        except Unreadable as fault:
            return Verdict(State.UNKNOWN, Outcome.UNREADABLE, str(fault))
    problem = _problem(answer)
    if problem is not None and answer.status in _NEVER_TAKEN:
        reasons = _line_reasons(problem.lines, asked)
        return Verdict(State.REFUSED, Outcome.REFUSED, _reason(problem), line_reasons=reasons)
    return _not_taken(answer, problem) or Verdict(
        State.UNKNOWN, _undecided(answer), _status_words(answer, problem)
    )


def after_asking(kind: Kind, serial: str, before: State, answer: Answer, asked: Asked) -> Verdict:
    """What a reply to *what became of this serial?* means. `before` stays where the reply decides
    nothing.
    """
    problem = _problem(answer)
    if answer.status == 404 and problem is not None and problem.code == "UNKNOWN_SERIAL":
        return Verdict(State.READY, Outcome.UNKNOWN_SERIAL, "对方未收到该流水号, 可原号重发")
    stays = State.UNKNOWN if before is State.SENDING else before
    if answer.status != 200:
        refused = _not_taken(answer, problem)
        outcome = refused.outcome if refused else _undecided(answer)
        return Verdict(stays, outcome, _status_words(answer, problem))
    try:
        said = wire.read_json(answer.body, _Said)
        _check_serial(said.serial, serial)
        return _by_state(kind, stays, said, asked)
    except Unreadable as fault:
        return Verdict(stays, Outcome.UNREADABLE, str(fault))


def not_sent(reason: str) -> Verdict:
    """The connection was never made: nothing can have arrived, so the same serial may go out."""
    return Verdict(State.READY, Outcome.NOT_SENT, reason)


def no_answer(before: State, reason: str) -> Verdict:
    """Sent, and no whole reply came. Only asking by serial can tell what became of it."""
    stays = State.UNKNOWN if before in (State.READY, State.SENDING) else before
    return Verdict(stays, Outcome.NO_ANSWER, reason)


def _by_state(kind: Kind, stays: State, said: _Said, asked: Asked) -> Verdict:
    reason = wire.words(said.text)
    if said.state == "refused":
        reasons = _line_reasons(said.lines, asked)
        return Verdict(
            State.REFUSED, Outcome.ANSWERED, reason or "对方退回, 未说明原因", line_reasons=reasons
        )
    if kind is Kind.FILING:
        if said.state == "received":
            return Verdict(State.TAKEN, Outcome.ANSWERED, reason)
        if said.state == "verified":
            return _verified(said, asked)
    elif said.state in ("accepted", "recorded", "partly_recorded"):
        return _detail(said, reason, asked)
    words = f"未知状态: {wire.words(said.state)}"
    return Verdict(stays, Outcome.UNREADABLE, words)


def _verified(said: _Said, asked: Asked) -> Verdict:
    """The collector's figures, if they are whole.

    Every amount must be legible, no line may come twice with other amounts, and the total must be
    their sum.
    """
    lines: dict[tuple[str, str, str], tuple[LineKey, Sums]] = {}
    for line in said.lines:
        name = (wire.text_of(line, "AAC002"), wire.insurance_of(line), wire.text_of(line, "AAA115"))
        stated = (asked.key(line), wire.sums_of(line, "AAE020", "AAE022"))
        if lines.setdefault(name, stated) != stated:
            raise Unreadable("核定明细自相矛盾: 同一人同一险种金额不同")
    if not lines:
        raise Unreadable("核定结果没有明细")
    total = sum(sums.employer_fen + sums.employee_fen for _, sums in lines.values())
    if said.total is not None and wire.fen_of({"total": said.total}, "total") != total:
        raise Unreadable("核定合计与明细之和不符")
    verified: dict[LineKey, Sums] = {}
    for _, (key, sums) in sorted(lines.items()):
        if key in asked.lines:
            verified[key] = verified[key].plus(sums) if key in verified else sums
    return Verdict(
        State.VERIFIED,
        Outcome.ANSWERED,
        wire.words(said.text),
        verified=verified,
        line_reasons=dict.fromkeys(asked.lines - verified.keys(), "核定结果未包含此明细"),
        strangers=sum(key not in asked.lines for key, _ in lines.values()),
    )


def _detail(said: _Said, reason: str, asked: Asked) -> Verdict:
    """The authority's word about its own taking of the detail.

    That it says *recorded* is no record: only a look-up shows one.
    """
    states = {asked.key(line): wire.text_of(line, "state") for line in said.lines}
    return Verdict(
        State.TAKEN if said.state == "accepted" else State.VERIFIED,
        Outcome.ANSWERED,
        reason,
        line_reasons=_line_reasons(said.lines, asked),
        line_states={key: state for key, state in states.items() if key in asked.lines},
        strangers=len(states.keys() - asked.lines),
    )


def _line_reasons(lines: list[Item], asked: Asked) -> dict[LineKey, str]:
    reasons = {}
    for line in lines:
        text = line.get("text")
        try:
            key = asked.key(line)
        except Unreadable:
            continue
        if isinstance(text, str) and text and key in asked.lines:
            reasons[key] = wire.words(text)
    return reasons


def _check_serial(given: str, ours: str) -> None:
    if given != ours:
        raise Unreadable("回执的流水号不是本次所报")


def _problem(answer: Answer) -> _Problem | None:
    try:
        return wire.read_json(answer.body, _Problem)
    except Unreadable:
        return None


def _not_taken(answer: Answer, problem: _Problem | None) -> Verdict | None:
    """Answers of the gate before the party: the request was turned away, so it can have had no
    effect.
    """
    if problem is None:
        return None
    reason = _status_words(answer, problem)
    if answer.status == 503 and problem.code == "CLOSED":
        return Verdict(State.READY, Outcome.CLOSED, reason)
    if answer.status == 429:
        return Verdict(State.READY, Outcome.LIMITED, reason)
    if answer.status in (401, 403):
        return Verdict(State.READY, Outcome.REFUSED, reason)
    return None


def _undecided(answer: Answer) -> Outcome:
    """A gateway's 5xx says as much about the party behind it as silence does."""
    return Outcome.NO_ANSWER if answer.status >= 500 else Outcome.UNREADABLE


def _reason(problem: _Problem) -> str:
    return wire.words(problem.text) or wire.words(problem.code)


def _status_words(answer: Answer, problem: _Problem | None) -> str:
    said = f" {_reason(problem)}" if problem is not None else ""
    return f"HTTP {answer.status}{said}"
