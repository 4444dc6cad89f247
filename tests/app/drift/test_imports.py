import subprocess
import sys


def test_river_is_not_imported_before_a_detector_is_made() -> None:
    code = (
        "import sys, app.drift.detectors, app.statistics.totals; sys.exit(bool({'river', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
