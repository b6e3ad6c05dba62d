NAME = "settings of a"
