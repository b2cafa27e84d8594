"""Plumbing and the words on the wire that every service speaks."""
