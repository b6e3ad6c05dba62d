"""Answers which language it is: where several are loaded, each must have answered itself."""


def application(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', '6')])
    return [b'python']
