"""Tests of the pages in a browser. A package, so that its stack ends with its last test."""
