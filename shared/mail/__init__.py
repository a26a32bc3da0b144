"""Reading mail: RFC 5322 headers, address lists, MIME parts, character sets, delivery reports.

Two services read the same mail and must read it alike, so they read it here. Nothing raises,
whatever the bytes; time and memory are bounded; no I/O.

* Header fields: services import `headers`. `header_block` cuts the fields, `address_list` reads
  addresses, `encoded_words` decodes text, `parameters` and `message_ids` read what they name.
* Bodies: `mime` cuts a mail into its parts (`part`), `decoding` turns bytes into text, and
  `charset` guesses the character set of a text without a label.
* `delivery_reports` reads what mail servers say about mail that they did not deliver.
"""
