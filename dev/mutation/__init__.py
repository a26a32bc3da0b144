"""Mutation testing: would the unit tests notice a small fault in a module that decides?

`make mutate` makes one small fault after the other (`faults.py`) in the modules of `targets.py`,
and runs the unit tests that belong to each. A fault that no test notices is printed as a survivor.
What cannot be noticed stands in `tests/mutants.toml` with its reason (`listed.py`).

No file is changed: a mutant replaces functions in the memory of a forked process (`install.py`).
"""
