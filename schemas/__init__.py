"""Every table of the lake, every rule of its rows, the dated policy and the taxonomy: one file each."""
