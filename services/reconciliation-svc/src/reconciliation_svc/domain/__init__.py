"""The rules of reconciliation: cells, their sides and windows, verdicts, anomalies, the bridge. No
I/O, no clock.
"""
