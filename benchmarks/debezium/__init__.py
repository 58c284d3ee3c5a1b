"""The peer of the relay: Debezium's outbox event router in Kafka Connect, on the Java that we have already."""
