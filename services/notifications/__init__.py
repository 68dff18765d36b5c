"""What people are told of their appointments: which messages, by which way, in which words, and what came of them.

Owns:         deliveries and their attempts, messages that are read in the house, preferences, numbers that want no more
              SMS, push subscriptions, own templates, and what each facility sends when.
Reads:        how patients are reached and how they stand, from `patients`; names of doctors and appointment types, from
              `doctors`; names of facilities and locations, from `identity`; what an event leaves out, from
              `appointments`.
Publishes:    audit.recorded.v1.
Never knows:  why somebody comes, unless a facility allows its messages to say so.
"""
