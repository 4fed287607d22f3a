"""Runs the case studies that have no export yet, each through `regtune run`, and writes docs/case-studies.md.

`python -m benchmarks.case_studies` runs and writes; `… page` writes alone; `--only a-base,b-grid` runs these.
"""

import argparse
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks.case_studies.exports import Export, families, load, save
from benchmarks.case_studies.page import page
from search_spaces.presets import Preset, load_preset
from service.effects.view import Effects

PAGE = Path("docs/case-studies.md")
MAX_MINUTES = 60.0
"""Presets that are said to take longer than this are not run unless they are named."""


def main() -> None:
    """Reads the arguments and does it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["all", "page"], default="all")
    parser.add_argument("--only", default="", help="names of presets, separated by commas")
    arguments = parser.parse_args()
    if arguments.what == "all":
        names = [name for name in arguments.only.split(",") if name]
        for preset in [load_preset(name) for name in names] if names else list(_feasible()):
            if load(preset.name) is None:
                _run(preset)
    PAGE.write_text(page(), encoding="utf-8")


def _feasible() -> list[Preset]:
    both = [preset for pair in families() for preset in pair if preset is not None]
    return sorted((preset for preset in both if preset.minutes <= MAX_MINUTES), key=lambda preset: preset.minutes)


def _run(preset: Preset) -> None:
    print(f"{preset.name} (about {preset.minutes:g} minutes)", file=sys.stderr, flush=True)
    began = time.monotonic()
    command = [sys.executable, "-m", "service.cli", "run", preset.name, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode != 0:
        print(f"{preset.name} failed", file=sys.stderr, flush=True)
        return
    effects = Effects.model_validate_json(done.stdout)
    save(Export.of(preset.study, effects, version=version("regtune"), seconds=time.monotonic() - began))


if __name__ == "__main__":
    main()
