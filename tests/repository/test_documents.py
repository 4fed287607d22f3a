"""What the documents name exists."""

import re
import shlex
from pathlib import Path

import pytest
import typer.main

from search_spaces.datasets import BUILT_IN
from search_spaces.presets import preset_names
from search_spaces.pruners import PRUNERS
from search_spaces.regularizers import REGULARIZERS
from search_spaces.samplers import SAMPLERS
from service.cli import app
from service.specs import load_study

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(path for path in ROOT.glob("**/*.md") if ".venv" not in path.parts)
README = (ROOT / "README.md").read_text()
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group, as it has subcommands


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_resolve(path: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", path.read_text())
    missing = [target for target in targets if "://" not in target and not (path.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_source_files_named_in_documents_exist(path: Path) -> None:
    named = set(
        re.findall(r"`((?:search_spaces|trials|service|tests|benchmarks|docs|examples)/[\w./-]+)`", path.read_text())
    )
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_make_targets_named_in_documents_exist() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = re.compile(r"`make ([\w-]+)|^make ([\w-]+)", re.MULTILINE)
    named = {a or b for path in DOCUMENTS for a, b in commands.findall(path.read_text())}
    assert named <= targets


def test_commands_and_flags_of_the_readme_exist() -> None:
    blocks = "".join(re.findall(r"```sh\n(.*?)```", README, re.DOTALL))
    lines = re.findall(r"^regtune ([^#\n]+)", blocks, re.MULTILINE)
    assert len(lines) >= 6
    for line in lines:
        words = shlex.split(line)
        command = COMMANDS[words[0]]
        flags = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words[1:] if word.startswith("--")} <= flags, line


def test_studies_that_the_readme_runs_are_valid() -> None:
    for name in re.findall(r"regtune (?:run|validate) (\S+)", README):
        load_study(str(ROOT / name) if "/" in name else name)


def test_the_readme_lists_every_choice() -> None:
    for table in (REGULARIZERS, SAMPLERS, PRUNERS, BUILT_IN):
        assert [name for name in table if f"`{name}`" not in README] == []


def test_presets_that_an_issue_promised_are_there() -> None:
    assert {"b-grid", "b-base", "b-dropout", "d-base", "d-dropout", "demo"} <= set(preset_names())
