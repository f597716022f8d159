"""The house rules that a machine can keep: who imports whom, and pages without inline code."""

import ast
import re
from pathlib import Path

from django.apps import apps
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
LINE = ["accounts", "roles", "assessments", "candidates", "teams"]
PURE = {"numpy", "scipy", "numba", "scoring"}


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def sources(folder: str):
    for path in (ROOT / folder).rglob("*.py"):
        if "migrations" not in path.parts and "tests" not in path.parts and path.name != "factories.py":
            yield path


def test_imports_run_one_way():
    for place, app in enumerate(LINE):
        right = set(LINE[place + 1 :])
        for path in sources(app):
            for name in imported(path):
                assert name.split(".")[0] not in right, f"{path} imports {name}"
                if name.startswith("socialstrategy."):
                    assert name.split(".")[1] in {"lib", "jobs", "mail"}, f"{path} imports {name}"


def test_the_leaf_packages_import_no_app():
    for folder in ("socialstrategy/lib", "socialstrategy/jobs", "socialstrategy/mail", "socialstrategy/operations"):
        for path in sources(folder):
            assert not {name.split(".")[0] for name in imported(path)} & set(LINE), path


def test_scoring_is_pure():
    import sys

    for path in sources("scoring"):
        outside = {name.split(".")[0] for name in imported(path)} - set(sys.stdlib_module_names) - PURE
        assert not outside, f"{path} imports {outside}"


def test_compiled_loops_let_other_threads_work():
    """While one runs, its worker must be able to give signs of life, or its job would be taken over and done twice."""
    found = 0
    for path in sources("scoring"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute | ast.Name) and ast.unparse(node) in {"numba.njit", "numba.jit", "njit"}:
                found += 1
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"numba.njit", "numba.jit", "njit"}:
                found -= 1
                options = {one.arg: ast.unparse(one.value) for one in node.keywords}
                assert options.get("nogil") == "True", f"{path}:{node.lineno}"
    # None without options, either.
    assert found == 0


def test_relations_run_one_way_too():
    for place, label in enumerate(LINE):
        right = set(LINE[place + 1 :])
        for model in apps.get_app_config(label).get_models():
            for field in model._meta.get_fields():
                if field.concrete and field.is_relation and field.related_model:
                    assert field.related_model._meta.app_label not in right, f"{model}.{field.name}"


def test_assessments_know_no_names():
    words = re.compile(r"\b(person|candidate|email|Person)\b")
    for path in sources("assessments"):
        code = ast.unparse(ast.parse(path.read_text()))
        found = [line for line in code.splitlines() if words.search(line) and '"' not in line and "'" not in line]
        assert not found, f"{path}: {found}"


def test_templates_hold_no_inline_code():
    for path in (ROOT / "templates").rglob("*.html"):
        text = path.read_text()
        assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:|hx-on|<script(?![^>]*src=)", text), path
        assert not re.search(
            r"https?://", text.replace("http://www.w3.org", "").replace('placeholder="https://"', "")
        ), path


def test_every_page_sends_a_strict_policy(client, db):
    policy = client.get("/sign-in/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
