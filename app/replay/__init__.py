"""History from a file through the worker's own statistics, windows, detectors and rules, without a broker."""
