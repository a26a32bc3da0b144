"""Code that the services share: contracts, mail parsing, the broker, HTTP, storage and the runtime.

It imports no service.
"""

VERSION = "0.1.0"
"""Of all of it. `make schemas` writes it wherever else it has to stand."""
