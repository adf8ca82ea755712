"""The options of ``dlcnb train``: every setting, in a group, with its words, from the command line or a file."""

import dataclasses
import json

import click
import pytest
from click.testing import CliRunner

from dlcnb.cli import main
from dlcnb.cli.settings import GROUPS, SettingsCommand, given, read_settings
from dlcnb.trainset import TrainConfig

FIELDS = [field.name for field in dataclasses.fields(TrainConfig)]


@click.command(cls=SettingsCommand)
@click.option("--config", "file")
def settings(file, **options):
    """Show what was given."""
    click.echo(json.dumps({**read_settings(file), **given(options)}))


def parsed(*arguments):
    done = CliRunner().invoke(settings, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def wrong(*arguments):
    done = CliRunner().invoke(settings, list(map(str, arguments)))
    assert done.exit_code == 2, done.output
    return " ".join(done.output.split())


def test_every_setting_is_an_option_that_says_what_it_is_for():
    (context, train) = click.Context(main), main.commands["train"]
    options = {option.name: option for option in train.get_params(context) if isinstance(option, click.Option)}
    assert set(FIELDS) <= set(options)
    assert [name for name in FIELDS if not options[name].help] == []
    assert [name for name in FIELDS if "`" in options[name].help] == []


def test_help_is_in_groups():
    text = CliRunner().invoke(main, ["train", "--help"]).output
    places = [text.index(f"{heading}:") for heading in ("Options", *GROUPS)]
    assert places == sorted(places)
    assert text.index("How it learns:") < text.index("--learning-rate") < text.index("Machine:")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (["--minutes", "2"], {"minutes": 2}),
        (["--input-scale", "0.5"], {"input_scale": 0.5}),
        (["--input-scale", "none"], {"input_scale": None}),
        (["--crop-size", "none"], {"crop_size": None}),
        (["--scale-jitter", "0.5,1.5"], {"scale_jitter": [0.5, 1.5]}),
        (["--no-mirror"], {"mirror": False}),
        (["--intermediate"], {"intermediate": True}),
        (["--bodyparts", "snout,tail base"], {"bodyparts": ["snout", "tail base"]}),
        (["--bodyparts", "snout"], {"bodyparts": ["snout"]}),
        (["--schedule", "[[10, 0.005], [20, 0.02]]"], {"schedule": [[10, 0.005], [20, 0.02]]}),
        (["--keep", "curve"], {"keep": "curve"}),
        (["--keep", "100,1000"], {"keep": [100, 1000]}),
        ([], {}),
    ],
)
def test_values_are_read_as_their_settings_want_them(line, value):
    assert parsed(*line) == value
    assert TrainConfig.from_dict({"steps": 1, **({"batch_size": 1} if "crop_size" in value else {}), **value})


@pytest.mark.parametrize(
    "line", [["--radius", "wide"], ["--freeze", "2.5"], ["--backbone", "resnet-5"], ["--steps", "1,2"]]
)
def test_a_value_of_another_kind_is_wrong_usage(line):
    assert line[0] in wrong(*line)


def test_a_file_of_settings_is_overruled_by_options(tmp_path):
    file = tmp_path / "my.yaml"
    file.write_text("radius: 9\nmirror: false\nall_joints_names: [snout]\n")
    assert parsed("--config", file, "--radius", "12") == {"radius": 12, "mirror": False}


@pytest.mark.parametrize("text", ["- a\n- b\n", "radius: [", "just words"])
def test_a_file_that_holds_no_settings_is_wrong_usage(tmp_path, text):
    file = tmp_path / "my.yaml"
    file.write_text(text)
    assert "--config" in wrong("--config", file)


def test_an_unknown_setting_in_a_file_names_the_nearest(tmp_path, arena_project):
    file = tmp_path / "my.yaml"
    file.write_text("radus: 9\n")
    done = CliRunner().invoke(main, ["train", str(arena_project.root), "--config", str(file)])
    assert done.exit_code == 2
    assert "did you mean 'radius'" in done.output
