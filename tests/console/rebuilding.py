"""How the console is built anew: its tables emptied, its group set back to the beginning of every stream."""

from aiokafka import AIOKafkaConsumer, TopicPartition

from contracts.registry import TOPICS
from tests.console.house import House


async def forget_all(console: House) -> None:
    """All that the streams can tell again."""
    async with console.service.database.connection() as connection:
        await connection.execute("TRUNCATE patient, task, journal, inbox")


async def from_the_beginning(console: House) -> None:
    """For a console that has stopped."""
    settings = console.service.settings
    prefix = settings.topic_prefix
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka, group_id=f"{prefix}stillwater.console", enable_auto_commit=False
    )
    await consumer.start()
    places = {TopicPartition(prefix + topic, number): 0 for topic in TOPICS for number in range(12)}
    consumer.assign(list(places))
    await consumer.commit(places)
    await consumer.stop()
