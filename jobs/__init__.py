"""The night: raw interactions in, interest profiles out, every line accounted for."""
