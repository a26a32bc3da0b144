"""Puts a mutant in the place of a module that is imported already, in this process alone.

The code of its functions is exchanged, so that every reference to them runs the mutant. A default
of a parameter, or a table at module level, is evaluated again.
"""

import ast
import gc
from collections.abc import Iterable
from types import CodeType, FunctionType, ModuleType

from dev.mutation.faults import Mutant, first_line

_Place = tuple[str, int]
"""A function's qualified name and first line: a mutant has the lines of the original."""


def functions_of(module: ModuleType) -> list[FunctionType]:
    """Return the module's functions and methods, decorated ones included."""
    gc.unfreeze()  # what is frozen, as by our own conftest, is in no list of objects
    return [
        found
        for found in gc.get_objects()
        # Not `isinstance`, which asks a weak proxy for its class: what it stood for may be gone.
        if type(found) is FunctionType and found.__code__.co_filename == module.__file__
    ]


def install(
    module: ModuleType, functions: Iterable[FunctionType], tree: ast.Module, mutant: Mutant
) -> None:
    """Let the module with these functions do what `tree` says, in which there is this mutant."""
    if mutant.function is None:
        _renew_tables(module, tree)
        return
    code = {_place(one): one for one in _codes(compile(tree, module.__file__ or "", "exec"))}
    arguments = {
        (node.name, first_line(node)): node.args
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    for function in functions:
        place = _place(function.__code__)
        if place in code:
            function.__code__ = code[place]
        known = arguments.get((function.__name__, place[1]))
        if known is not None:
            _renew_defaults(function, known)


def _place(code: CodeType) -> _Place:
    return code.co_qualname, code.co_firstlineno


def _codes(code: CodeType) -> list[CodeType]:
    found = []
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found += [constant, *_codes(constant)]
    return found


def _renew_defaults(function: FunctionType, arguments: ast.arguments) -> None:
    def value(node: ast.expr) -> object:
        return eval(compile(ast.Expression(node), "<default>", "eval"), function.__globals__)

    if all(isinstance(node, ast.Constant) for node in arguments.defaults) and arguments.defaults:
        function.__defaults__ = tuple(value(node) for node in arguments.defaults)
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if isinstance(default, ast.Constant):
            (function.__kwdefaults__ or {})[argument.arg] = value(default)


def _renew_tables(module: ModuleType, tree: ast.Module) -> None:
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(
            statement.value, ast.Tuple | ast.List | ast.Dict | ast.Set
        ):
            target = statement.targets[0] if isinstance(statement, ast.Assign) else statement.target
            if isinstance(target, ast.Name):
                expression = ast.Expression(statement.value)
                value = eval(compile(expression, "<table>", "eval"), vars(module))
                setattr(module, target.id, value)
