"""The embedded profile: PostgreSQL, Kafka, the sandbox and every service, one machine."""
