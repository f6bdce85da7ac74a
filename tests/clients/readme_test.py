"""The README shows the examples that the tours run, and nothing that nobody runs.

UPDATE_README=1 target/venv/bin/python -m pytest tests/clients/readme_test.py writes them there.
"""

import os
import pathlib
import re
import textwrap

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
# A block of the README: <!-- example: PATH -->, the fenced text, <!-- end of example -->
BLOCK = re.compile(r"(<!-- example: (\S+) -->\n)(.*?)(<!-- end of example -->)", re.DOTALL)
# The part of a source between its marks, which stand in comments of the language.
PART = re.compile(r"^\s*(?:#|//) \[README\n(.*?)^\s*(?:#|//) README\]", re.DOTALL | re.MULTILINE)
FENCES = {".py": "python", ".go": "go", ".java": "java", ".ts": "ts"}
EXAMPLES = [
    "tests/clients/python/example.py",
    "tests/clients/go/example.go",
    "tests/clients/java/src/sampan/clients/Example.java",
    "tests/clients/node/src/example.ts",
]


def fenced(path):
    """Returns the marked part of a source as the README shows it."""
    (part,) = PART.findall((ROOT / path).read_text())
    return f"```{FENCES[pathlib.Path(path).suffix]}\n{textwrap.dedent(part).strip()}\n```\n"


def written(text):
    """Returns a README with every block as its source has it."""
    return BLOCK.sub(lambda block: block[1] + fenced(block[2]) + block[4], text)


def test_the_readme_names_every_example():
    assert [block[1] for block in BLOCK.findall(README.read_text())] == EXAMPLES


@pytest.mark.parametrize("path", EXAMPLES)
def test_the_readme_shows_the_example_as_it_runs(path):
    if "UPDATE_README" in os.environ:
        README.write_text(written(README.read_text()))
    shown = {block[1]: block[2] for block in BLOCK.findall(README.read_text())}
    assert shown[path] == fenced(path), "stale; UPDATE_README=1 writes it anew"
