"""The rules of tickets: what they gather, who takes them, when they are due, what may be done with
them.
"""
