"""Timed work and commands of the patients: there is none of their own; the chassis tidies the technical tables."""
