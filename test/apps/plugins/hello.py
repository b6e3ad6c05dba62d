# A request plugin with an option of its own, written in Python; hello.lua does the same. The module itself is the plugin:
# its functions with the names of hooks are the hooks.
name = "hello-python"
modifier1 = 251
options = [
    {"name": "hello-python-greeting", "type": "text", "help": "The word to greet with.", "default": "hello"},
]

greeting, served = None, 0


def init(ctx):
    global greeting
    greeting = ctx.options["hello-python-greeting"].encode()


def request(req):
    global served
    served += 1
    whom = req.vars["PATH_INFO"][1:]
    req.prepare_headers("200 OK")
    req.add_header("Content-Type", "text/plain")
    req.add_header("X-Served", str(served))
    req.write(greeting + b", " + whom + b"\n")
    while line := req.readline():
        req.write(b"> " + line)
    req.set_logvar("whom", whom)
    return 0
