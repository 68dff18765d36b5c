"""The history has no timed work of its own; the composition root lets the chassis forget old technical records."""
