"""The history listens to nothing: what it must know of a patient it asks for when the answer decides."""
