"""False alarms while nothing changes, and how soon a change is found: the product beside thresholds and river."""
