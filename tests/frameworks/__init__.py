"""Live exports from training frameworks, compared with the frameworks' own padding."""
