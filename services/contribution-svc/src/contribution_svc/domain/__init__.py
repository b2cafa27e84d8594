"""The rules of contributions: policy in force, bases, lines, declarations, days and the allocation
of debits.
"""
