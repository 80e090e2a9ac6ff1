"""Frozen dataclasses that every room speaks. They hold numbers and say what each number is."""

from pytest_modelcompare.records.dataset import Dataset, Rows
from pytest_modelcompare.records.estimate import Estimate, Inference
from pytest_modelcompare.records.evidence import Evidence, Published
from pytest_modelcompare.records.measurements import Cost, Footprint, Latencies, Speed, Throughput
from pytest_modelcompare.records.predictions import NO_ANSWER, Predictions
from pytest_modelcompare.records.run import Device, Outcome, Run
from pytest_modelcompare.records.verdict import Figure, Outcomes, Verdict

__all__ = [
    "NO_ANSWER",
    "Cost",
    "Dataset",
    "Device",
    "Estimate",
    "Evidence",
    "Figure",
    "Footprint",
    "Inference",
    "Latencies",
    "Outcome",
    "Outcomes",
    "Predictions",
    "Published",
    "Rows",
    "Run",
    "Speed",
    "Throughput",
    "Verdict",
]
