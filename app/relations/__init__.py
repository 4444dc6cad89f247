"""How features hang together: what each of them alone does not show, and what text and embeddings say in numbers."""
