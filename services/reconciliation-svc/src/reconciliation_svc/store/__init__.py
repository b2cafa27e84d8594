"""All SQL of reconciliation-svc: months and their merge, what they are judged against, anomalies,
closes.
"""
