"""Rules of accounts, sign-in, keys and places. Pure: time, ids, secrets and settings come in as arguments."""
