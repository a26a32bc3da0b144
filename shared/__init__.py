"""What the services share: contracts, the broker and the runtime. Imports no service."""

VERSION = "0.1.0"
"""Of all of it. `make schemas` writes it wherever else it has to stand."""
