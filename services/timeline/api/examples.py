"""Examples for the API's description: to read, and for mocks of clients."""

from typing import Any

ANNA = {"name": "Anna Candidate", "address": "anna@mail.example"}
RECRUITER = {"name": "Recruiter One", "address": "one@agency.example"}

MAIL: dict[str, Any] = {
    "id": "k3v5zq2m7aayx4hfwbnpd6tju2oeclrs",
    "conversation_id": "q7f2wz5ykd3mnbv4xjt6hsape2ucolri",
    "message_id": "re-interview@mail.example",
    "subject": "Re: Your interview on Friday",
    "date": "2026-01-15T09:30:00Z",
    "direction": "inbound",
    "from": ANNA,
    "to": [RECRUITER],
    "cc": [],
    "bcc": [],
    "reply_to": [],
    "snippet": "Friday at ten is fine.",
    "attachments": [
        {"index": 0, "filename": "cv.pdf", "content_type": "application/pdf", "size": 48213}
    ],
    "matches": [
        {
            "person_id": "c1",
            "kind": "candidate",
            "address": "anna@mail.example",
            "role": "from",
            "source": "header",
            "shared_address": False,
            "made_for": None,
        }
    ],
    "detached": [],
    "hidden": [],
    "captured_by": [{"person_id": "u1", "at": "2026-01-15T09:30:04Z"}],
    "private": False,
    "forwarded_by": None,
    "variant": "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    "variants": [],
    "incomplete": False,
    "auto": None,
    "bounced": [],
    "invite": None,
    "authentication": {
        "verdict": "verified",
        "method": "dkim",
        "domain": "mail.example",
        "reason": None,
    },
    "people": [
        {"person_id": "c1", "kind": "candidate", "name": "Anna Candidate"},
        {"person_id": "u1", "kind": "user", "name": "Recruiter One"},
    ],
}
MAIL_DETAIL = {
    **MAIL,
    "text": "Friday at ten is fine.\n\n> Could you come in on Friday at ten?\n",
    "new_text": "Friday at ten is fine.",
    "signature": "",
    "html": None,
    "has_remote_images": False,
    "participants": [
        {"address": "anna@mail.example", "role": "from", "source": "header"},
        {"address": "one@agency.example", "role": "to", "source": "header"},
    ],
}
CONVERSATION: dict[str, Any] = {
    "id": "q7f2wz5ykd3mnbv4xjt6hsape2ucolri",
    "subject": "Your interview on Friday",
    "participants": [ANNA, RECRUITER],
    "profiles": [{"person_id": "c1", "kind": "candidate", "name": "Anna Candidate"}],
    "last_mail_at": "2026-01-15T09:30:00Z",
    "mail_count": 2,
    "unread": True,
    "snippet": "Friday at ten is fine.",
    "has_attachments": True,
}
CURSOR = "WzE3Njg0NjkwMDAwMDAsICJxN2Yyd3o1eWtkM21uYnY0eGp0NmhzYXBlMnVjb2xyaSJd"
CONVERSATION_LIST = {"items": [CONVERSATION], "next_cursor": CURSOR, "partial": 0}
CONVERSATION_DETAIL = {**CONVERSATION, "mails": [MAIL], "next_cursor": None}
MAIL_LIST = {"items": [MAIL], "next_cursor": None, "person": MAIL["people"][0], "hidden": None}
HIDDEN_PROFILES = {
    "items": [
        {"person_id": "c7", "name": "", "kind": None, "reason": "deleted", "in_use": False},
        {
            "person_id": "c9",
            "name": "Ben Candidate",
            "kind": "candidate",
            "reason": "blocked",
            "in_use": True,
        },
    ],
    "next_cursor": None,
}
STATS = {
    "days": [
        {
            "day": "2026-01-15",
            "attached": 12,
            "dismissed": {"internal": 3, "no_match": 41},
            "confirmations": 1,
            "quarantined": 0,
        }
    ]
}
SETUP = {
    "capture_addresses": [
        {
            "address": "recruiter-one.ud6ixgz2abcde234567abcdefghij@in.satchel.example",
            "state": "active",
            "valid_until": None,
        }
    ],
    "confirmations": [
        {
            "provider": "gmail",
            "requested_by": "one@agency.example",
            "code": "482915637",
            "link": "https://mail-settings.google.com/mail/vf-example",
            "capture_address": "recruiter-one.ud6ixgz2abcde234567abcdefghij@in.satchel.example",
            "at": "2026-01-15T09:30:04Z",
            "expires_at": "2026-01-16T09:30:04Z",
            "doubtful": False,
            "authentication": {
                "verdict": "verified",
                "method": "dkim",
                "domain": "google.com",
                "reason": None,
            },
        }
    ],
    "round_trip": {
        "state": "bounced",
        "address": "one@agency.example",
        "sent_at": "2026-01-15T09:31:00Z",
        "expires_at": "2026-01-16T09:31:00Z",
        "at": "2026-01-15T09:31:09Z",
        "repeated": False,
        "status": "5.7.520",
        "reason": "The organisation blocks automatic forwarding to other domains.",
        "advice": "An administrator allows automatic forwarding for this mailbox.",
    },
    "halves": {
        "sent": {
            "state": "working",
            "first_seen_at": "2026-01-12T08:00:04Z",
            "last_seen_at": "2026-01-15T09:12:44Z",
        },
        "received": {
            "state": "awaiting_confirmation",
            "first_seen_at": None,
            "last_seen_at": None,
        },
    },
    "watched": [
        {
            "capture_address": "recruiter-one.ud6ixgz2abcde234567abcdefghij@in.satchel.example",
            "received_at": "2026-01-15T09:30:04Z",
            "sender": {"name": "Mail", "address": "no-reply@provider.example"},
            "subject": "Confirm the forwarding of your mail",
            "text": "Open this page: https://provider.example/confirm?t=example",
            "links": ["https://provider.example/confirm?t=example"],
            "until": "2026-01-16T09:30:04Z",
        }
    ],
    "notices": [
        {
            "kind": "leak",
            "since": "2026-01-14T16:20:00Z",
            "half": None,
            "capture_address": "recruiter-one.ud6ixgz2abcde234567abcdefghij@in.satchel.example",
            "mail_date": "2026-01-14T16:19:58Z",
            "provider": None,
        }
    ],
}
DEAD_LETTER: dict[str, Any] = {
    "id": "z5m3kq7waa2yx4hfwbnpd6tju2oeclrs",
    "capture_id": "019bc0a4-7d1e-7c3a-9a55-0b8f3c2d1e4f",
    "tag": "mail.received.v1",
    "reason": "unknown_capture_address",
    "detail": "",
    "queue": "matcher.received.v1",
    "at": "2026-01-15T09:30:05Z",
    "size": 5120,
    "state": "waiting",
    "replays": 0,
    "expires_at": "2026-01-29T09:30:05Z",
    "settled": None,
}
CHANGED_MAIL = {**MAIL, "updated_at": "2026-01-15T09:30:05.123456Z"}
AUDIT_LINE = {
    "id": "m3k5zq7waa2yx4hfwbnpd6tju2oeclrs",
    "at": "2026-01-15T09:31:00.123000Z",
    "who": "u1",
    "what": "detached",
    "kind": "mail",
    "mail_id": MAIL["id"],
    "profile": "c1",
    "owner": None,
    "new_owner": None,
}
CAPTURE_STATUS = {
    "capture_id": "019bc0a4-7d1e-7c3a-9a55-0b8f3c2d1e4f",
    "state": "attached",
    "reason": None,
    "mail_ids": [MAIL["id"]],
}
HELD: dict[str, Any] = {
    "id": "m3k5zq7waa2yx4hfwbnpd6tju2oeclrs",
    "captured_by": {"person_id": "u1", "at": "2026-01-15T09:30:04Z"},
    "authentication": {
        "verdict": "failed",
        "method": None,
        "domain": "mail.example",
        "reason": "dmarc",
    },
    "mails": [
        {
            "subject": "New bank account",
            "date": "2026-01-15T09:30:00Z",
            "from": ANNA,
            "to": [RECRUITER],
            "cc": [],
            "snippet": "Please use this account from now on.",
            "forwarded_by": None,
            "matches": MAIL["matches"],
        }
    ],
}
HAND_OVER: dict[str, Any] = {
    "id": "h3z5mkq7waa2yx4fwbnpd6tju2oeclrs",
    "from": "u7",
    "to": "u1",
    "state": "running",
    "mails": 1280,
    "quarantined": 0,
    "failed": 0,
    "asked_by": "u9",
    "asked_at": "2026-01-15T09:30:00Z",
    "done_at": None,
}
EXAMPLES = {
    "HeldList": {"items": [HELD], "next_cursor": None},
    "ReadAll": {"before": "2026-01-15T09:30:00Z"},
    "ChangedMailOut": CHANGED_MAIL,
    "ChangedMailList": {
        "items": [CHANGED_MAIL],
        "deleted": [
            {"id": "z5m3kq7waa2yx4hfwbnpd6tju2oeclrs", "at": "2026-01-15T09:31:00.123456Z"}
        ],
        "next_cursor": None,
        "resume_cursor": "AX5-fn5-fn5-fn5-fn5-fn5-fn5-fn5-fn5-fn5-fn5-fn4HAAZIbeHE8oA",
    },
    "CaptureStatusOut": CAPTURE_STATUS,
    "AuditLineList": {"items": [AUDIT_LINE], "next_cursor": None},
    "HandOverBody": {"from": "u7", "to": "u1"},
    "HandOverOut": HAND_OVER,
    "VisibilityBody": {"visibility": "private"},
    "DeadLetterOut": DEAD_LETTER,
    "DeadLetterList": {"items": [DEAD_LETTER], "next_cursor": None},
    "DeadLetterDetail": {
        **DEAD_LETTER,
        "event": '{"capture_id":"019bc0a4-7d1e-7c3a-9a55-0b8f3c2d1e4f","size":5120}',
        "headers": [{"name": "Subject", "value": "Re: Your interview on Friday"}],
    },
    "MailOut": MAIL,
    "MailDetail": MAIL_DETAIL,
    "MailList": MAIL_LIST,
    "HiddenProfileList": HIDDEN_PROFILES,
    "ConversationOut": CONVERSATION,
    "ConversationList": CONVERSATION_LIST,
    "ConversationDetail": CONVERSATION_DETAIL,
    "StatsOut": STATS,
    "SetupOut": SETUP,
    "UnreadOut": {"unread": 7, "more": False},
    "ReprocessingBody": {"all": False},
    "ReprocessingOut": {
        "id": MAIL["id"],
        "state": "done",
        "tally": {"changed": 1, "unchanged": 49},
        "asked_by": "u1",
        "asked_at": "2026-01-15T09:30:00Z",
        "done_at": "2026-01-15T09:31:00Z",
    },
    "ReprocessPreviewOut": {
        "items": [{"mail_id": MAIL["id"], "kinds": ["text", "attachments"]}],
        "tally": {"changed": 1, "unchanged": 49},
        "next_cursor": f"{MAIL['id']}/0f1e2d3c4b5a69788796a5b4c3d2e1f0",
    },
    "SettingsBody": {"visibility": "team", "quarantine": "off", "quarantine_forwards": False},
}
"""By the name of the schema that they are of."""
