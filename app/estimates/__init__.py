"""How good is it without labels? Estimates from probabilities and features, and what carries a change."""
