"""The way of a mail, measured: from SMTP to its outcome in MongoDB.

conversations  which mail answers which, and their bytes
load           what is sent, to which accounts
visible        when each capture's outcome becomes visible
broker_alone   what the same broker confirms with nothing else running
run            one load through a stack: rates, processor time, requests to mongod
results        the results in JSON
report         the results as tables
command        `make bench ARGS="way"`
"""
