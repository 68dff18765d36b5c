"""The appointments change nothing when something happens elsewhere; repository.peers drops what is known of it."""
