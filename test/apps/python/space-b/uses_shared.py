import shared_package


def application(environ, start_response):
    start_response("200 OK", [])
    return [b"%d" % shared_package.counter.next_number()]
