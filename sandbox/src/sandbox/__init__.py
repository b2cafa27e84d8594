"""The parties that are not ours (bank, collector, authorities, identity provider), with faults to
order, and the case played on them.
"""
