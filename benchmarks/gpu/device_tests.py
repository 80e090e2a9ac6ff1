"""The tests that need the device."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def run_tests(*, tiny: bool) -> dict[str, Any]:
    """How they end, and the text of what fails. With tiny sizes they are only collected."""
    with tempfile.TemporaryDirectory() as name:
        report = Path(name) / "junit.xml"
        command = [sys.executable, "-m", "pytest", "tests/gpu", "-m", "gpu", "-q", "--tb=short", f"--junitxml={report}"]
        done = subprocess.run(
            [*command, *(["--co"] if tiny else [])], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if tiny or not report.exists():
            return {"exit_code": done.returncode, "output": done.stdout[-4_000:] + done.stderr[-1_000:]}
        cases = list(ET.parse(report).iter("testcase"))
    failed = {
        case.get("name"): broken[0].text for case in cases if (broken := [*case.iter("failure"), *case.iter("error")])
    }
    skipped = [case.get("name") for case in cases if case.find("skipped") is not None]
    seconds = {str(case.get("name")): float(case.get("time", 0)) for case in cases}
    return {
        "exit_code": done.returncode, "tests": len(cases), "failed": failed, "skipped": skipped, "seconds": seconds,
    }  # fmt: skip
