def app(environ, start_response):
    start_response("200 OK", [])
    return [f"{__file__} {environ.get('SCRIPT_NAME')}".encode()]
