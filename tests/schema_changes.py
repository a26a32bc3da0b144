"""What a new JSON Schema does not take any more that an old one took, or means otherwise.

A reader of the new one must understand whatever the old one described. So a field may be added when
it is optional; words may be added to a choice; limits may be widened. Everything else is a change
that needs a new version of the event. Unknown fields are no matter: consumers ignore them.
"""

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
_AT_LEAST, _AT_MOST = ("minimum", "minLength", "minItems"), ("maximum", "maxLength", "maxItems")


def changes(old: Schema, new: Schema) -> list[str]:
    """Return what is wrong with putting the new schema in the place of the old."""
    return list(_changes(old, new, old, new, "event"))


def _changes(old: Any, new: Any, all_old: Schema, all_new: Schema, at: str) -> Iterator[str]:
    old, new = _resolved(old, all_old), _resolved(new, all_new)
    if "default" in old and old["default"] != new.get("default"):
        yield f"{at}: left out it meant {old['default']!r}, now {new.get('default')!r}"
    choices = new.get("anyOf", [new])
    for kind in old.get("anyOf", [old]):
        found = [list(_narrowed(kind, one, all_old, all_new, at)) for one in choices]
        if all(found):
            yield from min(found, key=len)


def _narrowed(old: Any, new: Any, all_old: Schema, all_new: Schema, at: str) -> Iterator[str]:
    old, new = _resolved(old, all_old), _resolved(new, all_new)
    if old.get("type") != new.get("type"):
        yield f"{at}: was of type {old.get('type')}, is {new.get('type')}"
    if "enum" in new and not set(old.get("enum", [...])) <= set(new["enum"]):
        yield f"{at}: one of {new['enum']} only"
    for word in ("pattern", "format", "const"):
        if word in new and new[word] != old.get(word):
            yield f"{at}: {word} is {new[word]}"
    for words, narrower in ((_AT_LEAST, 1), (_AT_MOST, -1)):
        for word in words:
            if word in new and (word not in old or (new[word] - old[word]) * narrower > 0):
                yield f"{at}: {word} is {new[word]}"
    fields, new_fields = old.get("properties", {}), new.get("properties", {})
    for name in sorted(set(new.get("required", [])) - set(old.get("required", []))):
        yield f"{at}.{name}: is required"
    for name, field in fields.items():
        if name not in new_fields:
            yield f"{at}.{name}: is gone"
        else:
            yield from _changes(field, new_fields[name], all_old, all_new, f"{at}.{name}")
    if "items" in old:
        yield from _changes(old["items"], new.get("items", {}), all_old, all_new, f"{at}[]")


def _resolved(schema: Any, whole: Schema) -> Any:
    while "$ref" in schema:
        reference = whole["$defs"][schema["$ref"].rpartition("/")[2]]
        schema = {**reference, **{k: v for k, v in schema.items() if k != "$ref"}}
    return schema
