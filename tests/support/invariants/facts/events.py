"""The plumbing of every service, the records of the topics, and the sessions of the server."""

from datetime import datetime
from typing import NamedTuple


class Told(NamedTuple):
    """An outbox row. `content` is sha256 of the body; None: the event deletes its key. It `waits`
    until it is published.
    """

    store: str
    seq: int
    event_id: str
    topic: str
    key: str
    type: str
    family: str
    subject: str
    version: int
    content: bytes | None
    told_at: datetime
    waits: bool

    @property
    def aggregate(self) -> tuple[str, str]:
        return self.family, self.subject


class Taken(NamedTuple):
    """An inbox row; `content` is the 16-byte hash that the consumer keeps."""

    store: str
    event_id: str
    content: bytes


class Parked(NamedTuple):
    """A parked or queued event; `state` replayed or dropped once a person ended it."""

    store: str
    topic: str
    key: str
    event_id: str
    state: str
    reason: str


class Held(NamedTuple):
    """The newest version of an aggregate that a store has applied; its owner holds it too."""

    store: str
    family: str
    subject: str
    version: int

    @property
    def aggregate(self) -> tuple[str, str]:
        return self.family, self.subject


class Due(NamedTuple):
    """The earliest business time at which a job of a service has something to do."""

    store: str
    job: str
    at: datetime | None


class Kept(NamedTuple):
    """The answer that a client was given for an idempotency key; `ids` are the ids that it names,
    by the field's name.
    """

    store: str
    caller: str
    key: str
    operation: str
    ids: dict[str, str]


class Resource(NamedTuple):
    """Something that answers name, in the store that owns it: `name` is the id's field."""

    store: str
    name: str
    id: str


class Stray(NamedTuple):
    """Something personal, or of another employer, found where it must not be.

    `place` is a table or topic with the row's own employer; `kind` says what was found: id_no,
    name, employee or employer; `what` tells whose, and never repeats the secret itself.
    """

    store: str
    place: str
    kind: str
    what: str


class Record(NamedTuple):
    """One record of a topic. `event_id` is empty where it is no event that this release can read.

    `content` is sha256 of the value, `inbox_hash` what an inbox would keep of it.
    """

    store: str
    topic: str
    partition: int
    offset: int
    at_ms: int
    key: str
    event_id: str
    type: str
    family: str
    subject: str
    version: int
    content: bytes | None
    inbox_hash: bytes


class Offset(NamedTuple):
    """How far a consumer group is in a partition that it subscribes to; `first` is the log's start,
    `committed` None where it never committed.
    """

    store: str
    group: str
    topic: str
    partition: int
    first: int
    end: int
    committed: int | None


class Session(NamedTuple):
    """A connection to the database server. `quiet_for` is seconds since its last statement."""

    store: str
    pid: int
    database: str
    application: str
    state: str
    quiet_for: int
    advisory_locks: int
    most_connections: int
