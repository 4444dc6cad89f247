import subprocess
import sys

HEAVY = "{'river.drift', 'scipy.stats', 'scipy.optimize', 'sklearn', 'pandas'}"


def test_what_takes_seconds_to_import_stays_out_of_the_hot_process() -> None:
    """Not even a detector at work needs it: river's compiled class is all of river that is loaded."""
    code = (
        "import sys, app.monitor; from app.drift.detectors import ErrorRateDetector as D; D().update(100, 5); "
        f"sys.exit(str({HEAVY} & set(sys.modules)) if {HEAVY} & set(sys.modules) else 0)"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")
