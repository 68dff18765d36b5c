"""The patients listen to nothing: what is true of a record is decided here alone."""
