"""The user's own data sets: recognised from their files, inspected, and remembered by name."""

from cxrbench.data.datasets.forms import FORMS, Form
from cxrbench.data.datasets.inspection import Issue, Report, inspect, problems, read_report
from cxrbench.data.datasets.loading import evaluated_split, join_splits, read_data_set, read_table
from cxrbench.data.datasets.recognise import DataSet, recognise
from cxrbench.data.datasets.registry import OwnDataSet, add, check, find, find_folder, remove, scan

__all__ = [
    "FORMS",
    "DataSet",
    "Form",
    "Issue",
    "OwnDataSet",
    "Report",
    "add",
    "check",
    "evaluated_split",
    "find",
    "find_folder",
    "inspect",
    "join_splits",
    "problems",
    "read_data_set",
    "read_report",
    "read_table",
    "recognise",
    "remove",
    "scan",
]
