import uwsgi


def greet(*names):
    return b'hi ' + b','.join(names)


uwsgi.register_rpc('greet', greet)


def application(environ, start_response):
    start_response('200 OK', [])
    if environ['PATH_INFO'] == '/die':
        uwsgi.set_user_harakiri(1)
        # C code that never polls: it costs the worker.
        sum(iter(int, 1))
    return [b'x']
