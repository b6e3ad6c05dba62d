import time

started = time.monotonic()
while time.monotonic() - started < 0.5:
    pass


def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"at last"]
