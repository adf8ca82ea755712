"""What docs and README say is so: commands, options, names, links and paths are there, and the tutorial runs."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.util
import pkgutil
import re
import shlex
from pathlib import Path

import click
import pytest

import dlcnb
import dlcnb.widgets
from dlcnb.cli import main
from dlcnb.widgets.studio.state import TABS

ROOT = Path(__file__).parents[1]
PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / name / "README.md" for name in ("benchmarks", "teaching")),
]
PUBLIC = ["evaluate", "exchange", "experiments", "frames", "geometry", "jobs", "labels", "outliers", "plots", "poses"]
PUBLIC += ["project", "render", "report", "sampledata", "targets", "trainset", "trajectories", "video", "zones"]
FENCE = re.compile(r"^( *)```(?P<kind>\w*)[^\n]*\n(?P<text>.*?)^\1```$", re.DOTALL | re.MULTILINE)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]


def blocks(page: str, *kinds: str) -> list[str]:
    """Text of the fenced blocks of a page, without their indent."""
    found = FENCE.finditer((ROOT / page).read_text(encoding="utf-8"))
    return [re.sub(rf"^{m[1]}", "", m["text"], flags=re.MULTILINE) for m in found if m["kind"] in kinds]


def commands(page: str) -> list[str]:
    """The lines of a page that call dlcnb, in blocks and in the running text."""
    text = (ROOT / page).read_text(encoding="utf-8")
    lines = "\n".join(blocks(page, "", "bash")).replace("\\\n", " ").splitlines()
    lines += re.findall(r"`(dlcnb [^`]+)`", FENCE.sub("", text))
    lines = [re.split(r" (?:>|&&|&|#) ?| &$", line.strip())[0] for line in lines]
    return [line for line in lines if re.match(r"(srun .*)?dlcnb ", line)]


@pytest.mark.parametrize("page", NAMES)
def test_commands_and_their_options_are_there(page: str) -> None:
    for line in commands(page):
        words = shlex.split(re.sub(r"[\[\]…]", " ", line[line.index("dlcnb ") :]))
        assert words[1] in main.commands, f"{page}: {line}"
        command = main.commands[words[1]]
        if isinstance(command, click.Group) and len(words) > 2:
            assert words[2] in command.commands, f"{page}: {line}"
            command = command.commands[words[2]]
        context = click.Context(command)
        known = {
            option
            for parameter in command.get_params(context)
            for option in [*parameter.opts, *parameter.secondary_opts]
        }
        known |= {"--help", "-h"}
        given = words[2 : words.index("--")] if "--" in words else words[2:]
        for word in given:
            if word.startswith("--"):
                assert word.split("=")[0] in known, f"{page}: there is no {word} in {line}"


@pytest.mark.parametrize("name", sorted(main.commands))
def test_every_command_is_in_readme_and_reference(name: str) -> None:
    for page in ("README.md", "docs/reference/commands.md"):
        assert f"`dlcnb {name}" in (ROOT / page).read_text(encoding="utf-8"), page


@pytest.mark.parametrize("page", NAMES)
def test_names_that_are_imported_are_there(page: str) -> None:
    for block in blocks(page, "python"):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "dlcnb":
                if page == "docs/extend.md":  # test_extend.py runs those, in a dlcnb that has them
                    continue
                home = importlib.import_module(node.module)
                for alias in node.names:
                    there = hasattr(home, alias.name) or importlib.util.find_spec(f"{node.module}.{alias.name}")
                    assert there, f"{page}: {node.module} has no {alias.name}"


@pytest.mark.parametrize("page", NAMES)
def test_links_and_paths_lead_somewhere(page: str) -> None:
    text = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    targets = [t for t in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"https?:|#|mailto:", t)]
    for target in targets:
        assert ((ROOT / page).parent / target.split("#")[0]).exists(), f"{page}: {target}"
    for path in re.findall(
        r"(?:python|bash) ((?:benchmarks|scripts|tests|\.ci)/[\w./-]+)", text + "\n".join(blocks(page, ""))
    ):
        assert (ROOT / path).exists(), f"{page}: {path}"


def test_the_recipe_names_all_that_is_decided_from_the_labels() -> None:
    from dlcnb.trainset.plan import OPEN

    text = (ROOT / "docs" / "recipe.md").read_text(encoding="utf-8")
    for name in (*OPEN, "spatial_weight", "balanced"):
        assert f"`--{name.replace('_', '-')}`" in text, name


def test_every_widget_has_a_page() -> None:
    nav = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for name in dlcnb.widgets.__all__:
        match = re.search(rf"- {name}: (\S+)", nav)
        assert match, name
        assert f".{name}\n" in (ROOT / "docs" / match[1]).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", [*(f"Studio-{tab}" for tab in TABS), *(name for name in dlcnb.widgets.__all__ if name != "Studio")]
)
def test_every_widget_and_step_has_its_six_pictures(name: str) -> None:
    page = (ROOT / "docs" / "widgets" / "looks.md").read_text(encoding="utf-8")
    for view in ("1280-light", "1280-dark", "800-light", "800-dark", "150-light", "150-dark"):
        assert f"](../img/looks/{name}-{view}.webp)" in page  # that it is there, all links of all pages are asked


@pytest.mark.parametrize("name", PUBLIC)
def test_the_reference_has_every_public_function(name: str) -> None:
    """A function that shares its module's name hides behind it when the pages are made: it is listed by itself."""
    listed = "\n".join(page.read_text(encoding="utf-8") for page in (ROOT / "docs" / "reference").glob("*.md"))
    module = importlib.import_module(f"dlcnb.{name}")
    assert f"::: dlcnb.{name}\n" in listed + "\n"
    hidden = {m.name for m in pkgutil.iter_modules(getattr(module, "__path__", []))}
    for function in hidden & set(module.__all__):
        assert f"::: dlcnb.{name}.{function}.{function}\n" in listed + "\n"


def modules() -> list[str]:
    """Modules with examples in their docstrings."""
    package = Path(dlcnb.__file__).parent
    found = [path for path in package.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8")]
    return sorted(".".join(path.relative_to(package.parent).with_suffix("").parts) for path in found)


@pytest.mark.parametrize("name", modules())
def test_examples_in_docstrings_are_true(name: str) -> None:
    module = importlib.import_module(name.removesuffix(".__init__"))
    result = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert result.failed == 0


@pytest.mark.mxnet
@pytest.mark.slow
def test_the_tutorial_runs(capsys: pytest.CaptureFixture[str]) -> None:
    code = "\n".join(blocks("docs/tutorial.md", "python"))
    exec(compile(code, "docs/tutorial.md", "exec"), {})
    assert "snout" in capsys.readouterr().out


def test_json_of_the_commands_is_described() -> None:
    page = (ROOT / "docs/reference/commands.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in page for name in ("train", "evaluate", "analyze", "demo"))
    assert isinstance(main, click.Group)
