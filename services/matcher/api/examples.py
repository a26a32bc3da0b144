"""Examples for the API's description: to read, and for mocks of clients."""

from typing import Any

GUIDE: dict[str, Any] = {
    "id": "fastmail",
    "kind": "provider",
    "name": "Fastmail",
    "version": 1,
    "checked": "2026-01-15",
    "sources": ["https://www.fastmail.com/help/receive/forward.html"],
    "needs": [],
    "sends": None,
    "receives": {
        "automatic": "yes",
        "evidence": "seen",
        "steps": [
            "Open “Settings” > “Mail rules” and choose “Create rule”.",
            "Choose the action “Send a copy to” and type {capture_address}.",
        ],
        "snippets": [],
        "can": ["Forward only some mail: give the rule conditions."],
        "cannot": [],
        "traps": ["What counts as spam, or is discarded by a rule, is not forwarded."],
        "unknown": [],
        "confirmation": {
            "kind": "none",
            "evidence": "seen",
            "senders": [],
            "valid_hours": None,
            "notes": ["Fastmail's help mentions none."],
        },
    },
    "both": None,
}
GUIDES: dict[str, Any] = {
    "mailbox": "one@agency.example",
    "mailboxes": ["one@agency.example"],
    "chosen_by": "mail_hosts",
    "language": "en",
    "guide": GUIDE,
    "values": {
        "capture_address": "recruiter-one.ud6ixgz2abcde234567abcdefghij@in.satchel.example",
        "address": "one@agency.example",
    },
    "choices": [
        {"id": "fastmail", "kind": "provider", "name": "Fastmail"},
        {"id": "thunderbird", "kind": "client", "name": "Thunderbird"},
    ],
}
WINDOW = {"until": "2026-01-15T10:30:00Z", "mails_left": 5}
NEVER_CAPTURE: dict[str, Any] = {
    "account": {"addresses": ["counsel@law.example"], "domains": ["worksdoctor.example"]},
    "own": {"addresses": ["partner@home.example"], "domains": []},
}
PERSON = {"kind": "candidate", "name": "Anna Candidate", "addresses": ["anna@mail.example"]}
CAPTURE_ADDRESS = {
    "address": "recruiter-one.ud6ixgz2abcde234567abcdefghij@in.satchel.example",
    "scope": "user",
    "person_id": "u1",
    "state": "active",
    "key_id": "k1",
    "created_at": "2026-01-12T08:00:00Z",
    "valid_until": None,
}
MATCH = {
    "person_id": "c1",
    "kind": "candidate",
    "address": "anna@mail.example",
    "role": "from",
    "source": "header",
    "shared_address": False,
}
MERGE = {
    "id": "019bc0de0000700080000000000000a1",
    "person_id": "c7",
    "into": "c1",
    "state": "merged",
    "merged_by": "u1",
    "merged_at": "2026-01-15T09:30:00Z",
    "undone_by": None,
    "undone_at": None,
}
ERASURE: dict[str, Any] = {
    "id": "019bc0de000070008000000000000003",
    "person_id": "c1",
    "person_ids": ["c1", "c2"],
    "state": "done",
    "asked_by": "u1",
    "asked_at": "2026-01-15T09:30:00Z",
    "done_at": "2026-01-15T09:31:00Z",
    "erased": {
        "mails_deleted": 12,
        "mails_redacted": 3,
        "quarantined": 0,
        "dead_letters": 0,
        "failed": 0,
    },
    "receipt": "eyJhbGciOiJFZERTQSJ9.eyJraW5kIjoicGVyc29uIn0.c2lnbmF0dXJl",
}
ACCOUNT_ERASURE: dict[str, Any] = {
    "id": "019bc0de000070008000000000000004",
    "account": "agency",
    "state": "done",
    "asked_by": "u1",
    "asked_at": "2026-01-15T09:30:00Z",
    "done_at": "2026-01-15T09:33:00Z",
    "erased": {"people": 340, "mails": 1200, "quarantined": 3, "dead_letters": 1},
    "receipt": "eyJhbGciOiJFZERTQSJ9.eyJraW5kIjoiYWNjb3VudCJ9.c2lnbmF0dXJl",
}
EXAMPLES = {
    "PersonIn": PERSON,
    "PersonPatch": PERSON,
    "PersonOut": {"person_id": "c1", **PERSON},
    "PersonList": {"items": [{"person_id": "c1", **PERSON}], "next_cursor": None},
    "MergeBody": {"into": "c1"},
    "MergeOut": MERGE,
    "MergeList": {"items": [MERGE], "next_cursor": None},
    "ErasureOut": ERASURE,
    "ErasureList": {"items": [ERASURE], "next_cursor": None},
    "AccountErasureIn": {"account": "agency"},
    "AccountErasureOut": ACCOUNT_ERASURE,
    "AccountErasureList": {"items": [ACCOUNT_ERASURE], "next_cursor": None},
    "KeySet": {
        "keys": [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
                "kid": "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
                "use": "sig",
                "alg": "EdDSA",
            }
        ]
    },
    "MintRequest": {"person_id": "u1", "scope": "user"},
    "RotateRequest": {"grace_hours": 72},
    "MintedAddress": CAPTURE_ADDRESS,
    "MintedAddressList": {"items": [CAPTURE_ADDRESS], "next_cursor": None},
    "Explanation": {
        "decision": "attach",
        "reason": None,
        "direction": "inbound",
        "participants": [
            {
                "address": "anna@mail.example",
                "role": "from",
                "source": "header",
                "verdict": "match",
            }
        ],
        "matches": [MATCH],
        "enclosed": [],
    },
    "ProveRequest": {"address": "one@agency.example"},
    "ProveOut": {
        "state": "sent",
        "address": "one@agency.example",
        "sent_at": "2026-01-15T09:31:00Z",
        "expires_at": "2026-01-16T09:31:00Z",
    },
    "RoundTripSettings": {"repeat": "weekly"},
    "WindowState": {"window": WINDOW},
    "Guide": GUIDE,
    "GuidesOut": GUIDES,
    "WindowOut": WINDOW,
    "NeverCaptureBody": NEVER_CAPTURE,
    "ReviewBody": {"person_id": None, "change": {"person_id": "c1", "deleted": True}},
    "ReviewOut": {
        "id": "019bc0de000070008000000000000003",
        "state": "ready",
        "person_id": "c1",
        "looked_at": 12,
        "changes": 1,
        "dismissals": 0,
        "reasons": {"address_moved": 2},
        "skipped": 0,
        "applied": 0,
        "changed_meanwhile": 0,
        "failed": 0,
        "asked_by": "u1",
        "asked_at": "2026-01-15T09:30:00Z",
        "applied_by": None,
        "done_at": None,
        "expires_at": "2026-01-22T09:30:00Z",
    },
    "ReviewItems": {
        "items": [
            {
                "mail_id": "a" * 32,
                "capture_id": "019bc0de-0000-7000-8000-000000000001",
                "owner": "u1",
                "outcome": "attach",
                "dismissal": None,
                "profiles": [
                    {"person_id": "c1", "change": "lost", "reason": "address_moved"},
                    {"person_id": "c2", "change": "gained", "reason": "address_moved"},
                ],
                "state": "pending",
            }
        ],
        "next_cursor": None,
    },
    "RematchWindow": {"days": 7},
}
"""By the name of the schema that they are of."""
