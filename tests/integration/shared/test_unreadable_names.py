"""A record with a header whose name is not UTF-8, which the Kafka client refuses to hand over: it
is answered as its like, and stops nobody.
"""

from collections.abc import Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.consumer import read_whole
from shared.contracts import PAYROLL, SalaryComputed
from tests.integration.shared.test_parking import ONE_PARTITION, on_one_partition
from tests.support import unreadable_names
from tests.support.eventually import eventually
from tests.support.plumbing import Plumbing, raw
from tests.support.telling import salary
from tests.support.unreadable_names import Unreadable

Person = Callable[[str], str]


def labelled(event: SalaryComputed, **changed: Any) -> dict[str, Any]:
    record = raw(event, **changed)
    return record | {"headers": [*record["headers"], (Unreadable("name"), b"x")]}


@pytest.mark.parametrize("compression", [unreadable_names.NONE, unreadable_names.ZSTD])
async def test_what_can_be_read_of_it_is_applied_and_what_cannot_is_parked(
    plumbing: Plumbing, person: Person, compression: int
) -> None:
    well, poison, elsewhere = person("well"), person("poison"), person("elsewhere")
    told = [
        raw(salary(well, 1)),
        labelled(salary(well, 2)),
        raw(salary(well, 3)),
        labelled(salary(poison), value=b"{}"),
        raw(salary(well, 4)),
    ]
    await plumbing.publish({**raw(salary(elsewhere, 1)), "partition": ONE_PARTITION + 1})
    await unreadable_names.publish(plumbing.bootstrap, PAYROLL, ONE_PARTITION, told, compression)
    await plumbing.publish(*on_one_partition(raw(salary(well, 5))))
    with capture_logs():
        async with plumbing.running() as reader:
            await eventually(lambda: plumbing.has(5, well), within=60)
            await eventually(lambda: plumbing.has(1, elsewhere), within=30)
    assert await plumbing.versions_of(well) == [1, 2, 3, 4, 5]
    assert await plumbing.waits("undecodable", poison)
    assert not reader.halted
    assert reader.replaced == 0
    whole = await read_whole(plumbing.bootstrap, [PAYROLL])
    ours = [one for one in whole.records[PAYROLL] if one.key in (well.encode(), poison.encode())]
    assert len(ours) == len(told) + 1
