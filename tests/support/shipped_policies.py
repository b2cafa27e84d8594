"""The packs that ship, read once for all tests: to read them strictly takes half a second."""

from contribution_svc.policy import load_policies

POLICIES = load_policies()
