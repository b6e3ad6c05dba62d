class Odd(Exception):
    pass


def application(environ, start_response):
    path = environ["PATH_INFO"]
    if path == "/value":
        raise ValueError("no such thing")
    if path == "/odd":
        raise Odd("h\xe9")
    start_response("200 OK", [("Content-Type", "text/plain")])
    if path == "/late":
        return late()
    return [b"fine"]


def late():
    yield b"begun"
    raise KeyError("in the middle")
