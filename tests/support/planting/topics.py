"""Plants in what was read from topics, and in what the caller says."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tests.support.invariants import Acknowledged, ParkedKey
from tests.support.invariants.collect import TOPICS, Canaries
from tests.support.invariants.collect.canaries import strays_of_record
from tests.support.invariants.facts import Facts, Offset, Record, Row, Stray


@dataclass(frozen=True)
class TopicPlant:
    """`words` say what is done, `law` is the rule's name, `planted` gives the facts with it."""

    words: str
    law: str
    planted: Callable[[Facts], Facts]


def _with(facts: Facts, kind: type[Row], rows: Sequence[Row]) -> Facts:
    return facts.with_source(TOPICS, {**facts.sources[TOPICS], kind: rows})


def _records(facts: Facts, family: str) -> tuple[list[Record], list[Record]]:
    """The records of that kind of aggregate, and the others."""
    records = facts.of(Record)
    chosen = [one for one in records if one.family == family]
    return chosen, [one for one in records if one.family != family]


def _lost(facts: Facts) -> Facts:
    """One in the middle: neither the first of its topic nor the newest of its aggregate."""
    chosen, others = _records(facts, "CellsJudged")
    chosen.sort(key=lambda record: record.at_ms)
    del chosen[len(chosen) // 2]
    return _with(facts, Record, [*chosen, *others])


def _said_differently(facts: Facts) -> Facts:
    records = facts.of(Record)
    again = records[0]._replace(offset=1_000_000, content=b"other", inbox_hash=b"other")
    return _with(facts, Record, [*records, again])


def _stepped_back(facts: Facts) -> Facts:
    """The first two versions of one month's verdict change places."""
    chosen, others = _records(facts, "CellsJudged")
    subject = chosen[0].subject
    mine = sorted((one for one in chosen if one.subject == subject), key=lambda one: one.version)
    first, second, *rest = mine
    swapped = [first._replace(offset=second.offset), second._replace(offset=first.offset), *rest]
    kept = [one for one in chosen if one.subject != subject]
    return _with(facts, Record, [*swapped, *kept, *others])


def _behind(facts: Facts) -> Facts:
    offsets = facts.of(Offset)
    read = next(one for one in offsets if one.end > one.first)
    behind = read._replace(committed=read.end - 1)
    return _with(facts, Offset, [behind, *(one for one in offsets if one is not read)])


def _never_read(facts: Facts) -> Facts:
    offsets = facts.of(Offset)
    read = next(one for one in offsets if one.end > one.first)
    never = read._replace(committed=None)
    return _with(facts, Offset, [never, *(one for one in offsets if one is not read)])


def _names_a_person(facts: Facts) -> Facts:
    name = "王晓"
    canaries = Canaries.of(facts.sources.values(), [name])
    found = strays_of_record("ticket.events", f'{{"reason": "{name}的记录"}}', canaries)
    return _with(facts, Stray, [*found])


def _planted_key(facts: Facts) -> Facts:
    key = ParkedKey("ticket-svc", "payroll.events", "an employee")
    return replace(facts, given=replace(facts.given, planted=(key,)))


def _acknowledged(key: str, ids: dict[str, str]) -> Callable[[Facts], Facts]:
    def planted(facts: Facts) -> Facts:
        write = Acknowledged("ticket-svc", "hr.chen", key, ids)
        return replace(facts, given=replace(facts.given, acknowledged=(write,)))

    return planted


TOPIC_PLANTS = (
    TopicPlant("a record is lost from its topic", "sent_event_not_in_topic", _lost),
    TopicPlant(
        "an event id comes again with other content",
        "event_id_with_two_contents",
        _said_differently,
    ),
    TopicPlant("two versions of a verdict change places", "topic_steps_back", _stepped_back),
    TopicPlant("a group is one record behind", "consumer_lags", _behind),
    TopicPlant("a group never read a partition", "consumer_lags", _never_read),
    TopicPlant("a record names a person", "personal_data_in_topic", _names_a_person),
    TopicPlant("a key that should be parked is not", "planted_key_not_parked", _planted_key),
    TopicPlant(
        "an acknowledged ticket is not there",
        "acknowledged_write_lost",
        _acknowledged("", {"ticket_id": "never opened"}),
    ),
    TopicPlant(
        "the answer to an acknowledged request is not kept",
        "acknowledged_write_lost",
        _acknowledged("a key that was answered", {}),
    ),
)
