"""Files that a bank gives out, read into statements: ISO 20022 camt.053."""

from contribution_svc.files.camt import read_statements

__all__ = ["read_statements"]
