"""Figures of the house, made to be read: how many, who came, who did not; never who they are.

Owns:         a row for each appointment without its patient, the names and specializations of doctors as far as
              figures need them, and how far the reader is.
Reads:        events of `appointments` and `doctors`; with its own account, doctors and specializations of `doctors`,
              and all of it anew from `appointments`, `doctors` and `identity`; with the caller's token, whether there
              is a facility.
Publishes:    nothing of its own; audit.recorded.v1 of each export.
Never knows:  patients, in any form.
"""
