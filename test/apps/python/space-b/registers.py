import uwsgi


def answer():
    import settings

    return settings.NAME.encode()


uwsgi.register_rpc("registered by b", answer)


def application(environ, start_response):
    start_response("200 OK", [])
    return []
