"""Pure rules of payroll: identity numbers, people and their spells, wages, income tax, payroll
runs.
"""
