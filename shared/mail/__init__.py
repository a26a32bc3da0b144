"""Reading mail: RFC 5322 headers, address lists, MIME parts, character sets, delivery reports.

Two services read the same mail and must read it alike, so they read it here. Nothing raises,
whatever the bytes; time and memory are bounded; no I/O.

`headers` gathers what the services import of header fields: `header_block` cuts them,
`address_list` reads the addresses in one, `encoded_words` its text, `parameters` and `message_ids`
what their names say. `mime` cuts a mail into its parts, `decoding` makes text of bytes, `charset`
guesses what a text does not say, `delivery_reports` reads what mail servers say.
"""
