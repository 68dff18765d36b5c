"""Where everything lies: keys in Redis, tables of the journal. Private to the repository."""
