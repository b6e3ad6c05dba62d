"""Reads the whole body at once and answers its length."""


def application(environ, start_response):
    answer = str(len(environ['wsgi.input'].read())).encode()
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(answer)))])
    return [answer]
