"""What a window says against what is usual, and which of it is worth an alert."""
