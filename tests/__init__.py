"""The tests, and what they have in common."""
