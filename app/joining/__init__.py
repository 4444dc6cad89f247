"""Labels find their predictions, once and in the same place whatever is read again."""
