"""Reports: records in, text out; one file a format."""
