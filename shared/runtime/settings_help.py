"""How a setting is described: its type, bounds and default, for `--help` and docs/settings.md."""

from collections.abc import Mapping
from pathlib import Path

from annotated_types import Ge, Gt, Le, Lt
from pydantic import SecretStr
from pydantic.fields import FieldInfo

_TYPES = {bool: "true or false", int: "integer", float: "number", Path: "path", str: "text"}


def settings_help(fields: Mapping[str, FieldInfo]) -> str:
    """Return every setting with its type, default and meaning, one a paragraph."""
    paragraphs = []
    for name, field in fields.items():
        facts = [type_of(field), default_of(field)] + ["secret"] * is_secret(field)
        about = "; ".join(fact for fact in facts if fact)
        paragraphs.append(f"  {name.upper()}  ({about})\n      {field.description}\n")
    return "\n".join(paragraphs)


def type_of(field: FieldInfo) -> str:
    """Return the setting's type and bounds, such as `integer, 1 to 14`."""
    types = [known for known in _TYPES if _is(field, known)]
    return ", ".join(filter(None, [_TYPES[types[0]] if types else "text", _bounds(field)]))


def default_of(field: FieldInfo) -> str:
    """Return `required`, the default, or nothing for a setting that is empty by default."""
    if field.is_required():
        return "required"
    if field.default is None or field.default == "":
        return ""
    value = field.default
    return f"default: {str(value).lower() if isinstance(value, bool) else f'{value}'}"


def is_secret(field: FieldInfo) -> bool:
    """Return whether the value is a secret, or a URL that may hold a password."""
    return _is(field, SecretStr) or not field.repr


def _is(field: FieldInfo, known: type) -> bool:
    """Return whether the setting has this type, or this type or None."""
    given = field.annotation
    return given is known or known in getattr(given, "__args__", ())


def _bounds(field: FieldInfo) -> str:
    low = high = None
    above = below = ""
    for bound in field.metadata:
        match bound:
            case Ge(ge=value):
                low = f"{value}"
            case Gt(gt=value):
                above = f"above {value}"
            case Le(le=value):
                high = f"{value}"
            case Lt(lt=value):
                below = f"below {value}"
    if low and high:
        return f"{low} to {high}"
    at_least, at_most = low and f"at least {low}", high and f"at most {high}"
    return ", ".join(filter(None, [at_least or above, at_most or below]))
