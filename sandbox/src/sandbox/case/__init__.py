"""The October case: a roster, a conductor of time, the people who act, and a report that checks
every figure.
"""
