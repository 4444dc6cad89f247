"""Is it different? References to compare with, distances, and detectors over time."""
