"""A project on one page: what was labeled, how well the network does, what its poses are worth; opens offline, prints.

``gather`` collects what is known of a project, ``write_report`` writes it as one HTML file.
"""

from dlcnb.report.facts import Facts, gather
from dlcnb.report.page import Where, write_report

__all__ = ["Facts", "Where", "gather", "write_report"]
