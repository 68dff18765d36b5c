"""Tests of the whole system, from rules about the tree to journeys through the running house."""
