"""Errors as RFC 9457 describes them: what an API answers with an error (`codes.py` lists them).

* `request_id` is the `X-Request-Id` of the answer, and of every log line of the request.
* 429 and 503 have a `Retry-After`.
"""

from collections.abc import Mapping

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from shared.http.codes import Code
from shared.http.request_id import current_request_id

PROBLEM_TYPE = "application/problem+json"
RETRY_SECONDS = 5
"""`Retry-After` where nothing better is known."""


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
