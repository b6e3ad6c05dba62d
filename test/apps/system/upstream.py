# A WSGI application that sends the body of its request back, and a header of it.


def application(environ, start_response):
    start_response('201 Created', [('X-Said', environ.get('HTTP_X_MINE', ''))])
    return [environ['wsgi.input'].read()]
