NAME = "lazy of b"
