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
        "The request is not valid HTTP, or its body cannot be read. Correct it.",
    )
    UNAUTHORIZED = (
        *("unauthorized", 401, "Unauthorized"),
        "There is no bearer token, or it is not valid here or has expired. Get a new one.",
    )
    INSUFFICIENT_SCOPE = (
        *("insufficient_scope", 403, "Forbidden"),
        "The token lacks the scope that `detail` names.",
    )
    PERSON_REQUIRED = (
        *("person_required", 403, "Forbidden"),
        "The route is for a person, and the token has none (`sub`).",
    )
    NOT_THE_OWNER = (
        *("not_the_owner", 403, "Forbidden"),
        "The caller's own capture address did not catch the mail, so it is not theirs to hide or "
        "to delete. The scope account:write deletes all captures of a mail.",
    )
    NOT_FOUND = (
        *("not_found", 404, "Not found"),
        "There is no such thing, or it belongs to another account, or the caller may not see it.",
    )
    NO_ROUTE = ("no_such_route", 404, "Not found", "The API has no such path.")
    PAGES_NOT_BUILT = (
        *("pages_not_built", 404, "Not found"),
        "There is no such page, or the pages were not built in this installation.",
    )
    METHOD_NOT_ALLOWED = (
        *("method_not_allowed", 405, "Method not allowed"),
        "The path has no such method. `Allow` lists those it has.",
    )
    NOT_A_USER = (
        *("not_a_user", 409, "Cannot be done"),
        "The caller is not a user of the account with a mail address.",
    )
    NO_CAPTURE_ADDRESS = (
        *("no_capture_address", 409, "Cannot be done"),
        "The caller has no capture address yet. `POST /v1/capture-addresses` makes one.",
    )
    NO_RELAY = (
        *("no_relay", 409, "Cannot be done"),
        "The installation has no SMTP relay and sends no mail. `detail` says what to do instead.",
    )
    DEAD_LETTER_SETTLED = (
        *("dead_letter_settled", 409, "Conflict"),
        "The dead letter was dropped or replayed already, or is being replayed.",
    )
    DEAD_LETTER_NOT_SENT = (
        *("dead_letter_not_sent", 409, "Conflict"),
        "The dead letter cannot be replayed: its bytes or its queue are missing.",
    )
    PRECONDITION_FAILED = (
        *("precondition_failed", 412, "Changed meanwhile"),
        "What was read has changed since: `If-Match` names an older version. Read it again, apply "
        "the change to it, and send it with the new `ETag`.",
    )
    MAIL_TOO_LARGE = (
        *("mail_too_large", 413, "Mail too large"),
        "The mail is over the size limit that `detail` names.",
    )
    REQUEST_TOO_LARGE = (
        *("request_too_large", 413, "Request too large"),
        "The body is over 1 MiB.",
    )
    UNSUPPORTED_MEDIA_TYPE = (
        *("unsupported_media_type", 415, "Unsupported media type"),
        "The body has another `Content-Type` than the route takes.",
    )
    INVALID_REQUEST = (
        *("invalid_request", 422, "Invalid request"),
        "A parameter or a field of the body cannot be used. `errors` names each of them.",
    )
    IDEMPOTENCY_KEY_REUSED = (
        *("idempotency_key_reused", 422, "Idempotency key reused"),
        "The same `Idempotency-Key` came with another body or recipient before. Use a new key for "
        "each mail.",
    )
    RATE_LIMITED = (
        *("rate_limited", 429, "Too many requests"),
        "The account sends more mail than its rate allows. Wait for `Retry-After`.",
    )
    TOO_MANY_CHALLENGES = (
        *("too_many_challenges", 429, "Too many requests"),
        "The user has sent all test mails of the day (UTC). `Retry-After` is tomorrow.",
    )
    INTERNAL_ERROR = (
        *("internal_error", 500, "Internal error"),
        "The service failed. The log has the error under `request_id`.",
    )
    IMAGE_UNAVAILABLE = (
        *("image_unavailable", 502, "Image unavailable"),
        "The remote image could not be fetched, or is none.",
    )
    IMAGES_SWITCHED_OFF = (
        *("images_switched_off", 502, "No remote images"),
        "The installation fetches no remote images (`REMOTE_IMAGES`).",
    )
    BUSY = (
        *("busy", 503, "Try again later"),
        "Too much mail is in flight. Nothing was stored. Try again after `Retry-After`.",
    )
    MAIL_NOT_ACCEPTED = (
        *("mail_not_accepted", 503, "Try again later"),
        "The broker or the blob store did not confirm the mail: keep it, and send it again.",
    )
    DATABASE_UNAVAILABLE = (
        *("database_unavailable", 503, "Try again later"),
        "The database does not answer. A write may have happened; all writes are idempotent.",
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
        "The SMTP relay does not take mail right now. Nothing was sent.",
    )
    SIGNING_KEYS_UNAVAILABLE = (
        *("signing_keys_unavailable", 503, "Try again later"),
        "The keys that verify tokens cannot be fetched right now.",
    )
    STOPPING = (
        *("stopping", 503, "Try again later"),
        "This replica stops. Another one answers.",
    )
    HTTP_ERROR = (
        *("http_error", 0, "Error"),
        "Any other error of HTTP; its status says which.",
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

    field: str = Field(description="Its name; of a nested one its path, with dots")
    message: str = Field(description="What is wrong with it, for people")


class ProblemBody(BaseModel):
    """An error as RFC 9457 describes it."""

    type: str = Field(description="The problem type, a URI: `urn:satchel:error:` and the code")
    code: str = Field(
        description="What went wrong, for programs: one of the codes in docs/errors.md. More may "
        "be added"
    )
    title: str = Field(description="The same for people")
    status: int = Field(description="The answer's HTTP status")
    detail: str = Field(description="What went wrong this time, for people")
    request_id: str | None = Field(
        None, description="The answer's `X-Request-Id`; the service's log lines have it too"
    )
    errors: list[FieldError] | None = Field(
        None, description="Of an invalid request, the fields that cannot be used"
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
        """Return what is answered, within the request."""
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
    """Return the problem of a field that cannot be used as it is."""
    return Problem(Code.INVALID_REQUEST, f"{field}: {message}", errors={field: message})


def not_found(what: str) -> Problem:
    """Return the problem of something that is not there, or not this account's."""
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


def errors_page() -> str:
    """Return the page of all codes."""
    lines = [
        "# Errors",
        "",
        "Generated by `make schemas` from `shared/http/problems.py`.",
        "",
        "An error is `application/problem+json` (RFC 9457):",
        "",
        "```",
        '{"type": "urn:satchel:error:not_found", "code": "not_found", "title": "Not found",',
        ' "status": 404, "detail": "there is no such mail", "request_id": "5f0c…"}',
        "```",
        "",
        "* Decide by `code`. A code is never renamed, and keeps its status; more may be added.",
        "* `title` and `detail` are English text for people, and change without notice.",
        "* `errors` names each field that cannot be used: `{field, message}`.",
        "* Every answer has an `X-Request-Id`: that of the request, if it has one of at most 64",
        "  letters, digits, `.`, `_` and `-`, else a new one. `request_id` is the same, and every",
        "  log line of the request has it.",
        "* 429 and 503 have a `Retry-After`, in seconds.",
        "",
        "| code | status | meaning |",
        "|---|---|---|",
    ]
    for code in sorted(Code, key=lambda code: (code.status or 999, code.code)):
        lines.append(f"| `{code.code}` | {code.status or 'any other'} | {code.meaning} |")
    return "\n".join(lines) + "\n"
