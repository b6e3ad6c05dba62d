"""Yields 200 MB in pieces of 64 KB."""

PIECE = b'0123456789abcdef' * 4096
PIECES = 3200


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'application/octet-stream'), ('Content-Length', str(len(PIECE) * PIECES))])
    return (PIECE for _ in range(PIECES))
