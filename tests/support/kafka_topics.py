"""Topics for tests: uniquely named ones that are deleted afterwards, or the real ones that stay."""

import secrets

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from deploy.topics import Topic, create_topics, wanted_topics


class Topics:
    """Creates on demand; deletes at the end only what `unique` made."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self._made: list[str] = []

    async def unique(
        self, like: str = "test.events", *, partitions: int = 6, compacted: bool = False
    ) -> str:
        """A new topic; its name starts with `like`."""
        name = f"{like}.{secrets.token_hex(4)}"
        policy = "compact" if compacted else "delete"
        self._made.append(name)
        await create_topics(self.bootstrap, [Topic(name, partitions, {"cleanup.policy": policy})])
        return name

    async def real(self, *names: str) -> None:
        """The topics of deploy/topics.toml, all or those named; they stay, others may use them."""
        wanted = wanted_topics("sandbox")
        chosen = [topic for topic in wanted if not names or topic.name in names]
        assert not names or len(chosen) == len(names), f"not in topics.toml: {names}"
        await create_topics(self.bootstrap, chosen)

    async def pass_over(self, group: str, *names: str) -> None:
        """Puts `group` behind what earlier tests left on these topics: a consumer would read all of
        it, and count what is poison in it.
        """
        client = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=group, enable_auto_commit=False
        )
        await client.start()
        try:
            partitions = [TopicPartition(name, number) for name in names for number in range(6)]
            client.assign(partitions)
            await client.commit(await client.end_offsets(partitions))
        finally:
            await client.stop()

    async def delete_made(self) -> None:
        """The end of the test."""
        if not self._made:
            return
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.delete_topics(self._made)
        finally:
            await admin.close()
