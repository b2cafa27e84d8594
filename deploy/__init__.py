"""How Daozhang is run: databases, topics, and the embedded stack."""
