"""Every error that an API answers with: its code, its status, its title, and what to do about it.

`docs/errors.md` is made from this list; a test finds a page that differs. A program decides by
`code`: it never changes. `title` is for people.
"""

from enum import Enum

_TYPE_PREFIX = "urn:satchel:error:"


class Code(Enum):
    """An error: its code, its status, its title, and what the caller does about it."""

    def __init__(self, code: str, status: int, title: str, meaning: str) -> None:
        self.code, self.status, self.title, self.meaning = code, status, title, meaning

    @property
    def type(self) -> str:
        """The problem type, a URI."""
        return f"{_TYPE_PREFIX}{self.code}"

    BAD_REQUEST = (
        *("bad_request", 400, "Bad request"),
        "The request is not valid HTTP, or its body cannot be parsed. Correct it.",
    )
    UNAUTHORIZED = (
        *("unauthorized", 401, "Unauthorized"),
        "The bearer token is missing, invalid or expired. Get a new one.",
    )
    INSUFFICIENT_SCOPE = (
        *("insufficient_scope", 403, "Forbidden"),
        "The token does not have the scope that `detail` names.",
    )
    PERSON_REQUIRED = (
        *("person_required", 403, "Forbidden"),
        "The route needs a token of a person, and this one names none (`sub`).",
    )
    NOT_THE_OWNER = (
        *("not_the_owner", 403, "Forbidden"),
        "The caller's own capture address did not catch the mail, so it is not theirs to hide or "
        "to delete. The scope account:write deletes all captures of a mail.",
    )
    NOT_FOUND = (
        *("not_found", 404, "Not found"),
        "It does not exist, belongs to another account, or is not visible to the caller.",
    )
    NO_ROUTE = ("no_such_route", 404, "Not found", "The API does not have this path.")
    PAGES_NOT_BUILT = (
        *("pages_not_built", 404, "Not found"),
        "The page does not exist, or this installation has no built pages.",
    )
    METHOD_NOT_ALLOWED = (
        *("method_not_allowed", 405, "Method not allowed"),
        "The path does not have this method. `Allow` lists those it has.",
    )
    NO_NEW_OWNER = (
        *("no_new_owner", 409, "Cannot be done"),
        "Captures can be given to another user of the account only: `to` is not a user, or is the "
        "same person.",
    )
    NOT_A_USER = (
        *("not_a_user", 409, "Cannot be done"),
        "The caller is not a user of the account, or has no email address.",
    )
    NOT_A_PROFILE = (
        *("not_a_profile", 409, "Cannot be done"),
        "Only candidates and contacts can be merged, and one of the two people is neither.",
    )
    IS_A_USER = (
        *("is_a_user", 409, "Cannot be done"),
        "The person is a user of the account, and cannot be erased while they are. Hand their mail "
        "over, and delete them or change their kind first.",
    )
    ERASURE_KEY_MISSING = (
        *("erasure_key_missing", 409, "Cannot be done"),
        "This installation has no key to sign receipts with, so no one can be erased. Its operator "
        "sets ERASURE_SIGNING_KEY.",
    )
    ACCOUNT_ERASING = (
        *("account_erasing", 409, "Conflict"),
        "The account is being erased: nothing can be written to it. It can be used again, empty, "
        "once `GET /v1/account-erasures/{erasure_id}` says `done`.",
    )
    MERGED_ALREADY = (
        *("merged_already", 409, "Conflict"),
        "The person is merged into another profile. `GET /v1/merges` lists the merge; undo it "
        "first.",
    )
    MERGE_CIRCLE = (
        *("merge_circle", 409, "Conflict"),
        "Both people are one profile already, directly or by way of others. There is nothing to "
        "merge.",
    )
    REVIEW_NOT_READY = (
        *("review_not_ready", 409, "Conflict"),
        "The review is still looking at mail. `GET /v1/reviews/{review_id}` says when it is ready.",
    )
    TOO_MANY_MERGED = (
        *("too_many_merged", 409, "Conflict"),
        "More people would be one profile than may be.",
    )
    NO_CAPTURE_ADDRESS = (
        *("no_capture_address", 409, "Cannot be done"),
        "The caller has no capture address yet. `POST /v1/capture-addresses` creates one.",
    )
    NO_RELAY = (
        *("no_relay", 409, "Cannot be done"),
        "This installation has no SMTP relay, so it sends no mail. "
        "`detail` says what to do instead.",
    )
    DEAD_LETTER_SETTLED = (
        *("dead_letter_settled", 409, "Conflict"),
        "The dead letter has been dropped or replayed, or is being replayed.",
    )
    DEAD_LETTER_NOT_SENT = (
        *("dead_letter_not_sent", 409, "Conflict"),
        "The dead letter cannot be replayed: its bytes or its queue are missing.",
    )
    PRECONDITION_FAILED = (
        *("precondition_failed", 412, "Precondition failed"),
        "`If-Match` names an older version: somebody changed it since it "
        "was read. Read it again, apply the change, and send it with the "
        "new `ETag`.",
    )
    MAIL_TOO_LARGE = (
        *("mail_too_large", 413, "Mail too large"),
        "The mail is larger than the limit that `detail` names.",
    )
    REQUEST_TOO_LARGE = (
        *("request_too_large", 413, "Request too large"),
        "The body is larger than 1 MiB, or than another limit that `detail` names.",
    )
    UNSUPPORTED_MEDIA_TYPE = (
        *("unsupported_media_type", 415, "Unsupported media type"),
        "The route does not accept the body's `Content-Type`.",
    )
    INVALID_REQUEST = (
        *("invalid_request", 422, "Invalid request"),
        "A parameter or a field of the body is invalid. `errors` names each of them.",
    )
    IDEMPOTENCY_KEY_REUSED = (
        *("idempotency_key_reused", 422, "Idempotency key reused"),
        "This `Idempotency-Key` was used with another mail or recipient. "
        "Use a new key for each mail.",
    )
    RATE_LIMITED = (
        *("rate_limited", 429, "Too many requests"),
        "The account sends more mail, or more bytes to explain, than its rate allows. Retry after "
        "`Retry-After`.",
    )
    TOO_MANY_CHALLENGES = (
        *("too_many_challenges", 429, "Too many requests"),
        "The user has used up the test mails of the day (UTC). Retry after "
        "`Retry-After`, which is tomorrow.",
    )
    TOO_MANY_IMPORTS = (
        *("too_many_imports", 429, "Too many requests"),
        "The account already runs as many imports as it may. Nothing was stored. Retry when one "
        "has ended.",
    )
    INTERNAL_ERROR = (
        *("internal_error", 500, "Internal error"),
        "The service failed. Its log has the error under `request_id`.",
    )
    IMAGE_UNAVAILABLE = (
        *("image_unavailable", 502, "Image unavailable"),
        "The remote image could not be fetched, or is not an image.",
    )
    IMAGES_SWITCHED_OFF = (
        *("images_switched_off", 502, "No remote images"),
        "This installation does not fetch remote images (`REMOTE_IMAGES`).",
    )
    BUSY = (
        *("busy", 503, "Try again later"),
        "Too much mail, or too many imports, are in flight. Nothing was stored. Retry after "
        "`Retry-After`.",
    )
    MAIL_NOT_ACCEPTED = (
        *("mail_not_accepted", 503, "Try again later"),
        "The broker or the blob store did not confirm the mail. Keep it, and send it again.",
    )
    DATABASE_UNAVAILABLE = (
        *("database_unavailable", 503, "Try again later"),
        "The database does not answer. A write may have happened. Writes "
        "are idempotent: send it again.",
    )
    BLOB_STORE_UNAVAILABLE = (
        *("blob_store_unavailable", 503, "Try again later"),
        "The blob store does not answer.",
    )
    BROKER_UNAVAILABLE = (
        *("broker_unavailable", 503, "Try again later"),
        "The broker did not confirm.",
    )
    RELAY_UNAVAILABLE = (
        *("relay_unavailable", 503, "Try again later"),
        "The SMTP relay does not accept mail right now. Nothing was sent.",
    )
    SIGNING_KEYS_UNAVAILABLE = (
        *("signing_keys_unavailable", 503, "Try again later"),
        "The keys that verify tokens cannot be fetched right now.",
    )
    STOPPING = (
        *("stopping", 503, "Try again later"),
        "This replica is stopping. Send the request again; another replica answers.",
    )
    HTTP_ERROR = (
        *("http_error", 0, "Error"),
        "Any other HTTP error. See the status.",
    )
