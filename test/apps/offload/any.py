# Answers on every path: what a request for which there is no file comes to.
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"the app, on {environ['REQUEST_METHOD']} {environ['PATH_INFO']}".encode("latin-1")]
