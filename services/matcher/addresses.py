"""The addresses of the directory: which are accepted, and the form in which they compare."""

import email_validator

from shared.mail.address_form import normalise as normalise

# Reserved and internal domains are fine here: `.test`, `.local`, `.internal`. This is the library's
# documented switch.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


def check(address: str) -> str:
    """Return the address, trimmed, when its syntax is right. Raises ValueError with what is not."""
    trimmed = address.strip()
    try:
        email_validator.validate_email(
            trimmed,
            check_deliverability=False,
            globally_deliverable=False,
            allow_quoted_local=True,
        )
    except email_validator.EmailNotValidError as error:
        raise ValueError(f"is no email address: {error}") from error
    return trimmed
