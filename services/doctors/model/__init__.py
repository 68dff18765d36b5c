"""The rules of doctors and their plans: pure, without a store, a clock or a network."""
