"""The verbs of notify-svc: hear what others say, gather it, put it into words, send it."""
