"""Technical concerns that every service shares, one topic a file; it knows no service and no hospital word."""
