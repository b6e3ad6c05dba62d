"""A page of 100 KB, built once: measures how a response travels, not how it is made."""

PAGE = b'0123456789abcdef' * 6400


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(PAGE)))])
    return [PAGE]
