"""The parts of a comparison, a file each: sessions, the walk over the samples, border, layers."""
