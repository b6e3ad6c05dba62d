"""Yields 200 MB in pieces of 64 KB; one piece to the query "small"."""

PIECE = b'0123456789abcdef' * 4096
PIECES = 3200


def application(environ, start_response):
    pieces = 1 if environ['QUERY_STRING'] == 'small' else PIECES
    start_response('200 OK', [('Content-Type', 'application/octet-stream'), ('Content-Length', str(len(PIECE) * pieces))])
    return (PIECE for _ in range(pieces))
