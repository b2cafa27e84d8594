"""Rules of the exchanges with bureaus: stages, records, submissions, authorities' states,
evidence.
"""
