"""Load and scale runs that print ratios within one run; never part of the tests."""
