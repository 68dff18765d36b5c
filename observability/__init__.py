"""What watches the house: metrics and events by name, objectives, rules, dashboards. `python -m observability` makes what is made."""
