import subprocess
import sys


def test_river_is_not_imported_before_a_detector_is_made() -> None:
    code = "import app.drift.detectors, app.statistics.totals, sys; sys.exit(bool({'river', 'scipy'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
