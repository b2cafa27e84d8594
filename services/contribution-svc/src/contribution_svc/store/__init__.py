"""All SQL of contribution-svc, by noun: roster, policies, assessments, declarations, statements,
postings.
"""
