"""The smallest WSGI answer with a length, which keep-alive needs under uWSGI."""


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', '5')])
    return [b'hello']
