"""Is it news? Evidence against "nothing has changed" that adds up over windows, and the one budget of false alarms."""
