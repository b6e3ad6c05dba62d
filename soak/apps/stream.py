# Sends what came back in pieces, twenty times.


def application(environ, start_response):
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    for _ in range(20):
        yield body
