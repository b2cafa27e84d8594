"""All SQL of the sandbox, one module per party that keeps the rows."""
