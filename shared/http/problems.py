"""Errors as RFC 9457 describes them: every error that an API answers with, and its code.

* `Code` is the list of them. `docs/errors.md` is made from it; a test finds a page that differs.
* A program decides by `code`: it never changes. `title` and `detail` are for people.
* `request_id` is the `X-Request-Id` of the answer, and of every log line of the request.
* 429 and 503 have a `Retry-After`.
"""

from collections.abc import Mapping
from enum import Enum

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from shared.http.request_id import current_request_id

PROBLEM_TYPE = "application/problem+json"
RETRY_SECONDS = 5
"""`Retry-After` where nothing better is known."""
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
        "This installation has no key to sign receipts with, so nobody can be erased. Its operator "
        "sets ERASURE_SIGNING_KEY.",
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


_BY_STATUS = {
    400: Code.BAD_REQUEST,
    404: Code.NO_ROUTE,
    405: Code.METHOD_NOT_ALLOWED,
    413: Code.REQUEST_TOO_LARGE,
    415: Code.UNSUPPORTED_MEDIA_TYPE,
    422: Code.INVALID_REQUEST,
}


class FieldError(BaseModel):
    """What is wrong with one field."""

    field: str = Field(description="Name of the field; for a nested field its path, joined by dots")
    message: str = Field(description="What is wrong with the field, in words")


class ProblemBody(BaseModel):
    """An error as RFC 9457 describes it."""

    type: str = Field(description="Problem type: `urn:satchel:error:` followed by the code")
    code: str = Field(
        description="Machine-readable code, one of those in docs/errors.md. More may be added"
    )
    title: str = Field(description="Short description of the code")
    status: int = Field(description="HTTP status of the answer")
    detail: str = Field(description="What went wrong in this request, in words")
    request_id: str | None = Field(
        None, description="The answer's `X-Request-Id`, which the service's log lines contain too"
    )
    errors: list[FieldError] | None = Field(
        None, description="For an invalid request, the fields that are wrong"
    )


class Problem(Exception):
    """An error to answer with: the code is for programs, the detail for people."""

    def __init__(
        self,
        code: Code,
        detail: str,
        *,
        errors: Mapping[str, str] | None = None,
        retry_after: int = RETRY_SECONDS,
        status: int | None = None,
    ) -> None:
        """With a `status`, of HTTP_ERROR alone. `retry_after` counts for 429 and 503."""
        super().__init__(code.title)
        self.code, self.detail, self.status = code, detail, status or code.status
        self.errors = [FieldError(field=f, message=m) for f, m in (errors or {}).items()]
        self.headers: dict[str, str] = {}
        if self.status in (429, 503):
            self.headers["Retry-After"] = str(retry_after)
        if self.status == 401:
            self.headers["WWW-Authenticate"] = "Bearer"

    @property
    def body(self) -> ProblemBody:
        """Return the body of the answer, with the id of the current request."""
        return ProblemBody(
            type=self.code.type,
            code=self.code.code,
            title=self.code.title,
            status=self.status,
            detail=self.detail,
            request_id=current_request_id(),
            errors=self.errors or None,
        )


def invalid_field(field: str, message: str) -> Problem:
    """Return the problem of an invalid field."""
    return Problem(Code.INVALID_REQUEST, f"{field}: {message}", errors={field: message})


def not_found(what: str) -> Problem:
    """Return the problem of something that does not exist, or is another account's."""
    return Problem(Code.NOT_FOUND, f"there is no such {what}")


def problem_of_status(status: int, detail: str) -> Problem:
    """Return the problem of an HTTP status that the framework answers with."""
    if status in _BY_STATUS:
        return Problem(_BY_STATUS[status], detail)
    return Problem(Code.HTTP_ERROR, detail, status=status)


def problem_response(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return the answer that shows a problem."""
    return JSONResponse(
        problem.body.model_dump(exclude_none=True),
        problem.status,
        headers={**problem.headers, **(headers or {})},
        media_type=PROBLEM_TYPE,
    )
