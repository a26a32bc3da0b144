"""Reading mail: RFC 5322 headers, address lists, MIME parts, character sets, delivery reports.

Two services read the same mail and must read it alike, so they read it here. Nothing raises,
whatever the bytes; time and memory are bounded; no I/O.

`headers` reads header fields, `address_list` the addresses in one, `mime` cuts a mail into its
parts, `charset` guesses what a text does not say, `delivery_reports` reads what mail servers say.
"""
