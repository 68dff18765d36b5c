"""What watches the house: metrics and events by name, objectives, rules, dashboards.

`python -m observability` writes what is made from something else.
"""
