"""identity listens to no event of another service: accounts and places change here only."""
