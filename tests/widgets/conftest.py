"""What the widget tests share."""


def pytest_configure(config):
    # bqscales, which bqplot draws its axes with, declares its traits as traitlets 4.0 did
    config.addinivalue_line("filterwarnings", "ignore:metadata .* was set from the constructor:DeprecationWarning")
