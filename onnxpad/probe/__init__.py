"""Look inside a model while it runs: copies in memory with freed sizes and extra outputs."""
