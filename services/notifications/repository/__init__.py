"""What notifications keep, and the ways out of the house."""
