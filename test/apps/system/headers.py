# A WSGI application whose response has headers that a configuration changes.


def application(environ, start_response):
    headers = [('Content-Type', 'text/plain'), ('X-B', '1'), ('x-b', '2'), ('X-Both', 'app'), ('X-A', 'app')]
    start_response('200 OK', headers)
    return [b'body']
