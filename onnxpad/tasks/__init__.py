"""What a model is for, and how well it does it: accuracy by task, original against candidate."""
