"""Tests of the whole of Satchel. A package, so that its stack ends with its last test."""
