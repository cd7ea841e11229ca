"""The short version of `make test-faults`: real processes, killed and restarted."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.faults.stack import ROOT


@pytest.mark.timeout(540)
def test_onboardings_under_a_mix_of_faults_all_arrive() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.mix", "--seed", "11", "--count", "40", "--rate", "4",
         "--every", "1", "--short"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    told = dict(re.findall(r"^  (onboardings|lost|repeated|wrong) +(\d+)$", done.stdout, re.M))
    assert told == {"onboardings": "40", "lost": "0", "repeated": "0", "wrong": "0"}
