"""MongoDB and the blob store, as services reach them: away is an exception of its own.

A service that meets `DatabaseAway` or `BlobStoreAway` waits and tries again; nothing is given up.
"""
