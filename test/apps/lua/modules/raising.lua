-- raises while it loads
error("not today")
