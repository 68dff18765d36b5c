"""Nothing is too big to be read at once: 400 lines a file, 40 a function, 15 a controller method."""

from __future__ import annotations

import ast

from tests.architecture import tree

FILE, FUNCTION, CONTROLLER = 400, 40, 15

# What may be bigger, how big, and why. A name that no longer needs its place here fails the test.
NAMED_FILES: dict[str, int] = {}
NAMED_FUNCTIONS: dict[str, int] = {
    # One Envoy message each, a literal in the order of Envoy's own reference: taken apart it would read worse.
    "gateway/clusters.py:_service": 49,
    "gateway/listeners.py:_public_manager": 48,
}


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of code from the first statement to the last; signature and docstring do not count."""
    statements = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return function.end_lineno - statements[0].lineno + 1 if statements else 0


def over(sizes: dict[str, int], limits: dict[str, int], otherwise: int) -> dict[str, int]:
    """What is over its limit."""
    return {name: size for name, size in sizes.items() if size > limits.get(name, otherwise)}


def file_sizes() -> dict[str, int]:
    """Every Python file with its number of lines."""
    return {tree.named(path): len(path.read_text(encoding="utf-8").splitlines()) for path in tree.code()}


def function_sizes(files) -> dict[str, int]:
    """Every function of some files with its number of lines."""
    return {f"{tree.named(path)}:{name}": body_lines(node) for path in files for name, node in tree.functions(path)}


def test_files_fit_on_four_hundred_lines():
    assert not over(file_sizes(), NAMED_FILES, FILE)


def test_functions_fit_on_forty_lines():
    assert not over(function_sizes(tree.code()), NAMED_FUNCTIONS, FUNCTION)


def test_controller_methods_fit_on_fifteen_lines():
    controllers = [path for path in tree.files("services") if tree.is_part(path, "controller")]
    assert controllers
    assert not over(function_sizes(controllers), {}, CONTROLLER)


def test_the_kernel_stays_small():
    """It is a vocabulary, not a library: what grows belongs to a service."""
    assert sum(size for name, size in file_sizes().items() if name.startswith("services/kernel/")) <= 800


def test_exceptions_are_still_needed():
    sizes = {**file_sizes(), **function_sizes(tree.code())}
    assert all(sizes.get(name, 0) > FILE for name in NAMED_FILES)
    assert all(sizes.get(name, 0) > FUNCTION for name in NAMED_FUNCTIONS)
