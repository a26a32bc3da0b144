"""The small faults that are made in a module: which there are, and the module with one of them.

* A comparison turned or moved by one; a condition made true or false; `and` for `or`, an operand
  left out; a `not`, a sign, an arithmetic operator changed.
* A number one higher or lower; a text, a truth value or a member of an enumeration changed.
* A statement left out; a return without its value; a keyword argument, a bound of a slice, a call
  such as `sorted` or `.lower()` left out; `min` for `max`, `any` for `all`.
* Of a table at module level: an entry left out, the order turned.

Not changed is what decides nothing: annotations and the type of a cast, decorators, docstrings,
logging, the words of an exception, and numbers at module level, which are settings.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TURNED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    # The opposite first, then the boundary moved by one.
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Lt: (ast.GtE, ast.LtE),
    ast.LtE: (ast.Gt, ast.Lt),
    ast.Gt: (ast.LtE, ast.GtE),
    ast.GtE: (ast.Lt, ast.Gt),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_OTHER_FUNCTION = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list"}
_LEFT_OUT_METHODS = {"lower", "strip", "lstrip", "rstrip"}
_SKIPPED_FIELDS = {"annotation", "returns", "decorator_list", "type_comment", "ctx", "bases"}
_REMOVED_STATEMENTS = (ast.Raise, ast.Continue, ast.Break, ast.Delete, ast.AugAssign)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault. Two mutants of a module differ in `number`."""

    number: int
    line: int
    source: str
    """The line that is changed, without its indentation."""
    change: str
    """What becomes of what, for people to read."""
    function: int | None
    """The line at which the outermost function around it begins; None at module level."""


@dataclass(slots=True)
class _Slot:
    """A node and where it hangs in the tree."""

    node: ast.AST
    parent: ast.AST
    field: str
    index: int | None
    function: ast.AST | None
    in_display: bool
    """Part of a table at module level."""

    def put(self, new: ast.AST | None) -> None:
        """Replace the node, or take it out."""
        if self.index is None:
            setattr(self.parent, self.field, new)
        elif new is None:
            del getattr(self.parent, self.field)[self.index]
        else:
            getattr(self.parent, self.field)[self.index] = new


def mutants(source: str) -> list[Mutant]:
    """Return all faults of a module, in the order of its lines."""
    lines = source.splitlines()
    found = []
    for number, (slot, new) in enumerate(_changes(ast.parse(source))):
        line = int(getattr(slot.node, "lineno", 0) or getattr(slot.parent, "lineno", 0))
        function = first_line(slot.function) if slot.function else None
        change = f"{_shown(slot.node)} -> {_shown(new)}"
        found.append(Mutant(number, line, lines[line - 1].strip(), change, function))
    return found


def first_line(function: ast.AST) -> int:
    """Return the line at which a function's code begins: its first decorator, if it has one."""
    lines = [function, *getattr(function, "decorator_list", [])]
    return min(int(getattr(node, "lineno", 0)) for node in lines)


def mutated(source: str, number: int) -> ast.Module:
    """Return the module with one fault, by its number."""
    tree = ast.parse(source)
    for at, (slot, new) in enumerate(_changes(tree)):
        if at == number:
            slot.put(new and ast.copy_location(new, slot.node))
            return ast.fix_missing_locations(tree)
    raise IndexError(number)


def _shown(node: ast.AST | None) -> str:
    if node is None:
        return "(nothing)"
    if isinstance(node, ast.If) and isinstance(node.test, ast.Constant) and not node.test.value:
        return "(nothing)"
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else f"{text[:57]}..."


def _changes(tree: ast.Module) -> Iterator[tuple[_Slot, ast.AST | None]]:
    members = _members(tree)
    for slot in _slots(tree):
        if slot.function is not None:
            for new in _variants(slot, members):
                yield slot, new
        elif slot.in_display:
            for new in _table_variants(slot.node):
                yield slot, new


def _members(tree: ast.Module) -> dict[str, list[str]]:
    """Return the members of each enumeration that the module names."""
    found: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            known = found.setdefault(node.value.id, [])
            if node.attr.isupper() and node.value.id[0].isupper() and node.attr not in known:
                known.append(node.attr)
    return {name: sorted(found[name]) for name in found}


def _slots(tree: ast.Module) -> Iterator[_Slot]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(
            statement.value, ast.Tuple | ast.List | ast.Dict | ast.Set
        ):
            yield _Slot(statement.value, statement, "value", None, None, True)
    yield from _below(tree, None)


def _below(parent: ast.AST, function: ast.AST | None) -> Iterator[_Slot]:
    for field, value in ast.iter_fields(parent):
        if field in _SKIPPED_FIELDS:
            continue
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, node in children:
            if not isinstance(node, ast.AST) or _decides_nothing(node, parent):
                continue
            is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            inner = node if function is None and is_function else function
            if inner is not node:
                yield _Slot(node, parent, field, index, function, False)
            if not isinstance(node, ast.Raise):
                yield from _below(node, inner)


def _decides_nothing(node: ast.AST, parent: ast.AST) -> bool:
    if isinstance(parent, ast.JoinedStr) and isinstance(node, ast.Constant):
        return True
    if isinstance(parent, ast.Call) and ast.unparse(parent.func) == "cast":
        return node is parent.args[0]
    if not isinstance(node, ast.Expr):
        return False
    return isinstance(node.value, ast.Constant) or ast.unparse(node).startswith("log.")


def _variants(slot: _Slot, members: dict[str, list[str]]) -> Iterator[ast.AST | None]:
    node = slot.node
    if isinstance(node, ast.keyword) and node.arg and not isinstance(node.value, ast.Constant):
        yield None
    if slot.field in ("test", "ifs"):
        yield from (ast.Constant(value) for value in (True, False) if not _is_loop(slot, value))
    if isinstance(node, ast.stmt):
        yield from _statement_variants(slot, node)
    elif isinstance(node, ast.expr):
        yield from _expression_variants(slot, node, members)


def _is_loop(slot: _Slot, value: bool) -> bool:
    """Return whether the condition of a loop would never become false."""
    return value and isinstance(slot.parent, ast.While)


def _statement_variants(slot: _Slot, node: ast.stmt) -> Iterator[ast.AST]:
    nothing = ast.If(ast.Constant(False), [node], [])
    if isinstance(node, _REMOVED_STATEMENTS):
        yield nothing
    if isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant):
        yield nothing
    if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(_is_kept(target, slot.function) for target in targets):
            yield nothing
    if isinstance(node, ast.AugAssign) and type(node.op) in (ast.Add, ast.Sub):
        yield ast.AugAssign(node.target, _ARITHMETIC[type(node.op)](), node.value)
    if isinstance(node, ast.Return) and not (
        node.value is None or isinstance(node.value, ast.Constant)
    ):
        yield ast.Return(ast.Constant(None))


def _is_kept(target: ast.expr, function: ast.AST | None) -> bool:
    """Return whether something is there when the assignment is left out."""
    if not isinstance(target, ast.Name) or function is None:
        return True
    stores = [
        node
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == target.id
    ]
    return len(stores) > 1


def _expression_variants(
    slot: _Slot, node: ast.expr, members: dict[str, list[str]]
) -> Iterator[ast.AST]:
    match node:
        case ast.Compare():
            yield from _comparisons(node, is_condition=slot.field in ("test", "ifs"))
        case ast.BoolOp():
            yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
            for left_out in range(len(node.values)):
                rest = [value for at, value in enumerate(node.values) if at != left_out]
                yield rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.BinOp() if type(node.op) in _ARITHMETIC and not _is_text(node):
            yield ast.BinOp(node.left, _ARITHMETIC[type(node.op)](), node.right)
        case ast.Constant():
            yield from map(ast.Constant, _other_values(node.value))
        case ast.Attribute(value=ast.Name(id=name), attr=member) if member in members[name]:
            known = members[name]
            if len(known) > 1:
                other = known[(known.index(member) + 1) % len(known)]
                yield ast.Attribute(node.value, other, ast.Load())
        case ast.Subscript(slice=ast.Slice() as bounds):
            for field in ("lower", "upper"):
                if getattr(bounds, field) is not None:
                    left = ast.Slice(bounds.lower, bounds.upper, bounds.step)
                    setattr(left, field, None)
                    yield ast.Subscript(node.value, left, node.ctx)
        case ast.Call():
            yield from _calls(node)


def _comparisons(node: ast.Compare, *, is_condition: bool) -> Iterator[ast.AST]:
    for at, op in enumerate(node.ops):
        others = _TURNED[type(op)]
        # A condition is made true and made false already: its opposite adds nothing.
        for other in others[1:] if is_condition and len(node.ops) == 1 else others:
            ops = [*node.ops[:at], other(), *node.ops[at + 1 :]]
            yield ast.Compare(node.left, ops, node.comparators)


def _calls(node: ast.Call) -> Iterator[ast.AST]:
    if isinstance(node.func, ast.Name) and node.func.id in _OTHER_FUNCTION:
        other = ast.Name(_OTHER_FUNCTION[node.func.id], ast.Load())
        keywords = [] if other.id == "list" else node.keywords
        yield ast.Call(other, node.args, keywords)
    if isinstance(node.func, ast.Attribute) and node.func.attr in _LEFT_OUT_METHODS:
        yield node.func.value


def _is_text(node: ast.BinOp) -> bool:
    return any(
        isinstance(side, ast.JoinedStr)
        or (isinstance(side, ast.Constant) and isinstance(side.value, str | bytes))
        for side in (node.left, node.right)
    )


def _other_values(value: object) -> Sequence[str | bytes | int | float]:
    match value:
        case bool():
            return [not value]
        case int() | float():
            return [value + 1, value - 1]
        case str():
            return [value + "~"]
        case bytes():
            return [value + b"~"]
    return []


def _table_variants(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Dict):
        for at in range(len(node.keys)):
            keys = [*node.keys[:at], *node.keys[at + 1 :]]
            yield ast.Dict(keys, [*node.values[:at], *node.values[at + 1 :]])
        yield ast.Dict(node.keys[::-1], node.values[::-1])
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        if all(isinstance(e, ast.Constant) and isinstance(e.value, int) for e in node.elts):
            return
        for at in range(len(node.elts)):
            yield _with_entries(node, [*node.elts[:at], *node.elts[at + 1 :]])
        if not isinstance(node, ast.Set):
            yield _with_entries(node, node.elts[::-1])


def _with_entries(node: ast.Tuple | ast.List | ast.Set, entries: list[ast.expr]) -> ast.expr:
    if isinstance(node, ast.Tuple):
        return ast.Tuple(entries, ast.Load())
    return ast.List(entries, ast.Load()) if isinstance(node, ast.List) else ast.Set(entries)
