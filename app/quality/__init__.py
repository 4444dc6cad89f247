"""Data quality: what users say of their data, and how it is checked."""
