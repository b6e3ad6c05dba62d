count = 0


def next_number():
    global count
    count += 1
    return count
