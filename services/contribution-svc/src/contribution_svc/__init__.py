"""contribution-svc: policy, bases, assessments, declarations, bank statements and their
allocation.
"""
