"""What Start starts: presets, changed settings, earlier runs to go on from."""

import ipywidgets
import pytest

from dlcnb.machine.gpus import Gpu
from dlcnb.run import Run
from dlcnb.trainset import PRESETS, TrainConfig
from dlcnb.widgets.training.devices import device_field, offered_devices
from dlcnb.widgets.training.runs import starts
from dlcnb.widgets.training.settings import TIPS, SettingsForm, TrainingSettings


class TestSettings:
    @pytest.mark.parametrize("name", PRESETS)
    def test_a_preset_left_alone_is_the_preset(self, name):
        made = TrainConfig.from_dict(TrainingSettings(preset=name).options())
        assert made == TrainConfig.preset(name)

    def test_changes_are_passed_on_and_nothing_else(self):
        settings = TrainingSettings(minutes=12.0, split_seed=3, batch_size=4)
        assert settings.options() == {
            "backbone": "efficientnet-lite0", "train_fraction": 0.95, "split_seed": 3, "minutes": 12.0, "batch_size": 4
        }  # fmt: skip

    def test_mirroring_can_be_turned_off_and_on(self):
        settings = TrainingSettings()
        form = SettingsForm(settings)
        assert "mirror" not in settings.options()
        for word, mirror in (("no", False), ("yes", True)):
            form.fields["mirror"].value = word
            assert TrainConfig.from_dict(settings.options()).mirror is mirror
        settings.preset = "paper"
        assert form.fields["mirror"].value == "no"
        assert "mirror" in settings.options()  # of the preset
        form.fields["mirror"].value = "auto"
        assert TrainConfig.from_dict(settings.options()).mirror is None

    def test_steps_instead_of_minutes(self):
        settings = TrainingSettings(minutes=0.0, steps=200)
        config = TrainConfig.from_dict(settings.options())
        assert (config.minutes, config.steps) == (None, 200)

    def test_another_learning_rate_overrules_the_schedule_of_the_paper(self):
        settings = TrainingSettings(preset="paper")
        assert "schedule" in settings.options()
        settings.learning_rate = 0.002
        config = TrainConfig.from_dict(settings.options())
        assert (config.schedule, config.learning_rate) == (None, 0.002)

    def test_a_run_to_start_from_stays_chosen_while_it_is_there(self):
        settings = TrainingSettings()
        settings.set_starts({"shuffle 1": "/p/run1", "shuffle 2": "/p/run2"})
        settings.start_from = "/p/run1"
        settings.set_starts({"shuffle 1": "/p/run1"})
        assert settings.options()["start_from"] == "/p/run1"
        settings.set_starts({})
        assert "start_from" not in settings.options()


class TestForm:
    def test_fields_and_settings_follow_each_other(self):
        settings = TrainingSettings()
        form = SettingsForm(settings)
        form.fields["preset"].value = "paper"
        assert form.fields["backbone"].value == settings.backbone == "resnet-50"
        assert form.fields["steps"].value == 500_000
        form.fields["device"].value = "cpu"
        assert settings.options()["device"] == "cpu"

    def test_a_device_set_from_python_is_shown(self):
        settings = TrainingSettings(device="gpu(1),gpu(2)")
        form = SettingsForm(settings)
        assert form.fields["device"].value == "gpu(1),gpu(2)"
        settings.device = "gpu(7)"
        assert form.fields["device"].value == settings.options()["device"] == "gpu(7)"
        settings.preset = "paper"
        assert form.fields["device"].value == settings.device == "auto"

    def test_zero_says_that_it_is_automatic(self):
        form = SettingsForm(TrainingSettings())
        titles = [box.children[0].value for box in form.advanced.children if box.children[1].value == 0]
        assert any("batch size" in title and "0 = automatic" in title for title in titles)

    def test_every_field_says_what_it_is_for(self):
        form = SettingsForm(TrainingSettings())
        assert {name: field.tooltip for name, field in form.fields.items()} == TIPS

    def test_runs_to_start_from_are_offered(self):
        settings = TrainingSettings()
        form = SettingsForm(settings)
        settings.set_starts({"shuffle 1": "/p/run1"})
        form.fields["start_from"].value = "/p/run1"
        assert settings.start_from == "/p/run1"
        settings.set_starts({"shuffle 1": "/p/run1", "shuffle 2": "/p/run2"})
        assert form.fields["start_from"].value == settings.start_from == "/p/run1"
        settings.set_starts({})
        assert form.fields["start_from"].value == settings.start_from == ""


class TestDevices:
    CARDS = (Gpu("Tesla T4", (7, 5)), Gpu("NVIDIA H100", (9, 0)), Gpu("NVIDIA A10", (8, 6)))

    def test_a_computer_without_a_card_has_a_processor(self):
        words = dict(offered_devices([], False))
        assert list(words.values()) == ["auto", "cpu"]
        assert next(iter(words)) == "automatic: the processor"

    def test_cards_that_can_be_used_are_offered_by_name(self):
        words = {device: text for text, device in offered_devices(self.CARDS, True)}
        assert list(words) == ["auto", "cpu", "gpu(0)", "gpu(2)", "gpu(0),gpu(2)"]
        assert words["gpu(2)"] == "GPU 2: NVIDIA A10"

    def test_the_build_for_the_processor_offers_no_card(self):
        assert [device for _, device in offered_devices(self.CARDS, False)] == ["auto", "cpu"]

    def test_of_many_cards_some_can_be_written(self):
        few = device_field(offered_devices(self.CARDS, True), "200px")
        many = device_field(offered_devices([self.CARDS[0]] * 3, True), "200px")
        assert isinstance(few, ipywidgets.Dropdown)
        assert isinstance(many, ipywidgets.Combobox)
        many.value = "gpu(0),gpu(2)"
        assert many.value == "gpu(0),gpu(2)"


def test_an_int8_copy_beside_a_snapshot_is_no_snapshot(tmp_path):
    """`analyze --engine int8` leaves one; the monitor once stumbled over it."""
    for name in ("snapshot-40.params", "snapshot-200.params", "snapshot-200.int8.params", "snapshot-200.state.npz"):
        (tmp_path / name).touch()
    assert Run(tmp_path).steps == [40, 200]
    assert [path.rsplit("-", 1)[-1] for path in list(starts([tmp_path]).values())[1:]] == ["200.params", "40.params"]
