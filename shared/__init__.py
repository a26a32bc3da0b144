"""What the services share: contracts, the broker and the runtime. Imports no service."""
