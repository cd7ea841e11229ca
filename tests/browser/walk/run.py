"""`make test-browser`: the full walk in two processes, the contact sheet, and a summary.

    python -m tests.browser.walk.run

LANGS and CASES narrow it (`tests/browser/walk/full.py`). Exits 1 when anything is wrong.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PLACE = ROOT / "artefacts" / "browser"
SHARDS = 2
FAULT = re.compile(r"^E\s+(?:AssertionError: )?([\w-]+ [\w-]+-\d+-(?:light|dark): .*)$")
ENDED = re.compile(r"(\d+) (passed|failed|error)")
NOTHING_CHOSEN = 5


def main() -> int:
    """Run the shards, print what they found; the exit status."""
    began = time.monotonic()
    if not (os.environ.get("CASES") or os.environ.get("LANGS")):
        shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir(parents=True, exist_ok=True)
    logs = [PLACE / f"walk-{shard}.log" for shard in range(1, SHARDS + 1)]
    running = [start(shard, log) for shard, log in enumerate(logs, start=1)]
    try:
        statuses = [each.wait() for each in running]
    finally:
        for each in running:
            each.terminate()
    said = [log.read_text() for log in logs]
    write_sheet()
    return summary(said, statuses, time.monotonic() - began)


def start(shard: int, log: Path) -> subprocess.Popen[bytes]:
    """One process of the walk, with servers of its own."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "--tb=short",
               "--show-capture=no", "tests/browser/walk/full.py"]  # fmt: skip
    env = {**os.environ, "SHARD": f"{shard}/{SHARDS}"}
    with log.open("w") as written:
        return subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=written, stderr=subprocess.STDOUT
        )


def summary(said: list[str], statuses: list[int], seconds: float) -> int:
    """Print the faults and the counts; the exit status."""
    faults = sorted({f for text in said for f in faults_in(text)})
    for fault in faults:
        print(fault)
    counts: Counter[str] = Counter()
    for text in said:
        for number, word in ENDED.findall(text.rstrip().rpartition("\n")[2]):
            counts[word] += int(number)
    bad = [status for status in statuses if status not in (0, NOTHING_CHOSEN)]
    if bad and not faults:
        print("\n".join(text[-3000:] for text in said))
    pictures = len(list(PLACE.rglob("*.png")))
    print(
        f"\n{sum(counts.values())} states, {pictures} pictures, {len(faults)} faults, "
        f"{seconds / 60:.1f} min. Pictures: {PLACE.relative_to(ROOT)}/index.html"
    )
    if not counts:
        print("Nothing was walked: is there such a case?")
    return 1 if bad or not counts else 0


def faults_in(text: str) -> list[str]:
    """The faults in pytest's report."""
    found = (FAULT.match(line) for line in text.splitlines())
    return [match[1] for match in found if match]


# --- The contact sheet -----------------------------------------------------------------------

STYLE = """body{font:14px system-ui;margin:16px;background:#8882}
section{margin-block:24px}h2{font-size:16px}div{display:flex;gap:8px;overflow-x:auto}
figure{margin:0;flex:none}img{height:320px;border:1px solid #8888;background:#fff}
figcaption{font-size:12px}"""


def write_sheet() -> None:
    """`index.html`: a row of pictures for each case, every language in it."""
    cases: dict[str, list[Path]] = {}
    for picture in sorted(PLACE.rglob("*.png")):
        name = re.sub(r"-\d+-(light|dark)$", "", picture.stem)
        cases.setdefault(name, []).append(picture.relative_to(PLACE))
    rows = "\n".join(row(name, pictures) for name, pictures in sorted(cases.items()))
    page = f"<!doctype html><meta charset=utf-8><title>The walk</title><style>{STYLE}</style>{rows}"
    (PLACE / "index.html").write_text(page)


def row(name: str, pictures: list[Path]) -> str:
    """One case."""
    shown = "".join(
        f'<figure><a href="{each}"><img src="{each}" loading="lazy" alt="{each}"></a>'
        f"<figcaption>{html.escape(str(each.parent))} {each.stem[len(name) + 1 :]}</figcaption>"
        "</figure>"
        for each in pictures
    )
    return f"<section id={name}><h2>{name}</h2><div>{shown}</div></section>"


if __name__ == "__main__":
    sys.exit(main())
