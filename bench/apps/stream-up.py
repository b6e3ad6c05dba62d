"""Reads the body in pieces of 64 KB, keeps none of them, and answers the length."""


def application(environ, start_response):
    stream = environ['wsgi.input']
    length = 0
    while chunk := stream.read(65536):
        length += len(chunk)
    answer = str(length).encode()
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(answer)))])
    return [answer]
