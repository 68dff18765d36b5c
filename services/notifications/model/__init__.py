"""The rules of notifications: pure, without a store, a clock or a network."""
