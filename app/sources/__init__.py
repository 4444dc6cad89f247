"""Partitions of the source topics: how far their time has come, who owns them, which keys are theirs."""
