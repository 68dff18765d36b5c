"""Pure words that every service shares: errors, identifiers, access, events. Standard library only."""
