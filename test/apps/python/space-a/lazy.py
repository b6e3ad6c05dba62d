NAME = "lazy of a"
