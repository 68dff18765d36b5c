"""The trail of who did and who saw what.

Owns: the audit entries in their chain, the checkpoints of it, and the second place where checkpoints are kept.
Reads: `audit.recorded.v1` of every service, from the stream `audit.entries`.
Publishes: nothing of its own; its own reading and checking makes audit entries as everywhere.
Never knows: the values that were read or changed; an entry carries ids and names of fields.
"""
