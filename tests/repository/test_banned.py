"""Calls and texts that must not appear in what we ship."""

import re
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [path for package in ("search_spaces", "trials", "service") for path in (ROOT / package).rglob("*.py")]

BANNED = {
    "Keras deserialization": r"model_from_json|load_model|(?<!ScriptDirectory)\.from_config\(|deserialize\w*\(",
    "pickles": r"\bpickle\b|allow_pickle=True|joblib|\bmarshal\b",
    "unchecked archives": r"extractall",
    "shells": r"shell=True|os\.system",
}

FLOORS = {"keras": "3.15.1", "starlette": "1.3.1", "jinja2": "3.1.6", "optuna": "5.0.0"}


@pytest.mark.parametrize("pattern", BANNED.values(), ids=BANNED.keys())
def test_banned_calls_appear_in_no_source_file(pattern: str) -> None:
    found = [str(path) for path in SOURCES if re.search(pattern, path.read_text())]
    assert found == []


def test_installed_versions_are_at_or_above_the_security_floors() -> None:
    assert [name for name, floor in FLOORS.items() if Version(version(name)) < Version(floor)] == []


def test_no_tracked_file_names_a_package_index() -> None:
    hosts = r"https?://[a-z0-9.-]*(pypi|pythonhosted|npmjs)[a-z0-9.-]*"
    listed = subprocess.run(
        ["git", "grep", "-nIE", hosts, "--", "."], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert listed.returncode in (0, 1), listed.stderr
    assert listed.stdout == ""
