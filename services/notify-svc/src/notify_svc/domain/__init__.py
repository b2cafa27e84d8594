"""What notify-svc decides without asking anyone: words, digests, and whether a message may be sent
again.
"""
