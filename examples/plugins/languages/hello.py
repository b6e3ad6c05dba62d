# A request plugin: the module itself, and its functions with the names of hooks.
import uwsgi

name = "hello"
modifier1 = 251
served = 0


def init(context):
    print("hello: init in", context.thread)


def request(request):
    global served
    served += 1
    whom = request.get("PATH_INFO")[1:]
    request.add_header("Content-Type", "text/plain")
    request.add_header("X-Served", str(served))
    request.write(uwsgi.call("greet", whom) + b"\n")
    while line := request.readline():
        request.write(b"> " + line)
    return 0


def after_request(request):
    print("hello: served", served)
