"""The topic command against a real broker."""

import pytest

from deploy.topics import Topic, TopicsDiffer, create_topics, wanted_topics
from tests.support.kafka_topics import Topics


async def test_real_topics_are_created_once(kafka_bootstrap: str, topics: Topics) -> None:
    await topics.real()

    assert await create_topics(kafka_bootstrap, wanted_topics("sandbox")) == 0


async def test_other_partitions_are_refused(kafka_bootstrap: str, topics: Topics) -> None:
    name = await topics.unique(partitions=2)

    with pytest.raises(TopicsDiffer, match="has 2 partitions, expected 6"):
        await create_topics(kafka_bootstrap, [Topic(name, 6)])


async def test_other_settings_are_refused(kafka_bootstrap: str, topics: Topics) -> None:
    name = await topics.unique(partitions=1)

    with pytest.raises(TopicsDiffer, match=r"has cleanup\.policy=delete, expected compact"):
        await create_topics(kafka_bootstrap, [Topic(name, 1, {"cleanup.policy": "compact"})])


def test_a_production_profile_has_no_sandbox_clock() -> None:
    assert "sandbox.clock" not in {topic.name for topic in wanted_topics("production")}
    assert "sandbox.clock" in {topic.name for topic in wanted_topics("sandbox")}
