"""The configuration: read as a tree in which each value knows its place, checked, and told in words."""
