# Loads a plugin that is written as a Python file, and calls its hooks. The host knows which of the names are hooks; here each
# gets the form in which the host calls it, and the request object is made of the host's table of members.
# Finds in its namespace: import_file, check_request, and the members as `methods` and `properties`: names to functions.
import json
from types import BuiltinFunctionType, FunctionType, ModuleType

# The apps that mount_app took; the host names them by their place here. 0 is none.
apps = [None]


def own_text(value):
    """What plain data has not, as the host reads it."""
    return {"\0unfit": type(value).__name__}


class Request:
    """A request, as long as the hook runs that was given it."""

    def __init__(self, serial, app):
        self._serial = serial
        self.app = apps[app]


def add_method(name, function):
    def method(self, *args, **keywords):
        check_request(self._serial)
        return function(*args, **keywords)

    method.__name__ = name
    method.__qualname__ = f"Request.{name}"
    method.__doc__ = function.__doc__
    setattr(Request, name, method)


def add_property(name, function):
    def read(self):
        check_request(self._serial)
        value = function()
        if type(value) is not dict:
            return value
        # Read once, and found in the object from then on.
        self.__dict__[name] = value = with_text_names(value)
        return value

    setattr(Request, name, Member(read, function.__doc__))


class Member:
    """A property that a value in the object itself goes before."""

    def __init__(self, read, doc):
        self.read = read
        self.__doc__ = doc

    def __get__(self, request, owner=None):
        return self if request is None else self.read(request)


for name, function in methods.items():
    add_method(name, function)
for name, function in properties.items():
    add_property(name, function)


def with_text_names(names_and_values):
    """Names are str, whatever bytes they are made of; values stay bytes."""
    return {name.decode("latin-1"): value for name, value in names_and_values.items()}


class Context:
    """What a plugin may know of the thread it runs in."""

    def __init__(self, members):
        self.__dict__.update(members)


def make_context(text):
    return Context(json.loads(text))


def taking_request(hook):
    return lambda serial, app: hook(Request(serial, app))


def spooling(hook):
    return lambda path, job, body: hook(path, with_text_names(job), body)


def mounting(hook):
    def mount(mountpoint, source):
        app = hook(mountpoint, source)
        if app is None or app is False or (type(app) is int and app == -1):
            return None
        apps.append(app)
        return len(apps) - 1

    return mount


forms = {"request": taking_request, "dict": spooling, "app": mounting}


def line_of(function):
    code = getattr(function, "__code__", None)
    return code.co_firstlineno if code is not None else 0


def is_imported(module, value):
    """Whether a module has a function or a class from elsewhere: `from uwsgidecorators import mule` is no hook."""
    return isinstance(value, (FunctionType, BuiltinFunctionType, type)) and value.__module__ != module.__name__


def members_of(plugin, module):
    if isinstance(plugin, dict):
        return plugin
    names = [name for name in dir(plugin) if not name.startswith("_")]
    return {name: getattr(plugin, name) for name in names}


def load_plugin(path, known):
    """The plugin of a file: what it says of itself as JSON, and its functions by name. `known`: the names that count, with forms."""
    module = import_file(path)
    plugin = getattr(module, "plugin", module)
    is_module = isinstance(plugin, ModuleType)
    if plugin is None or isinstance(plugin, (str, bytes, int, float, list, tuple)):
        raise TypeError(f"{path}: plugin must be an object, a dict or a module, not {type(plugin).__name__}")
    known = json.loads(known)
    values, functions, lines = {}, {}, {}
    for name, value in members_of(plugin, module).items():
        if not isinstance(name, str):
            raise TypeError(f"{path}: the dict of a plugin has names, not {type(name).__name__}")
        if value is None or (is_module and is_imported(plugin, value)):
            continue
        if is_module and name not in known and type(value) is not FunctionType:
            continue
        if callable(value):
            form = forms.get(known.get(name))
            functions[name] = form(value) if form else value
            lines[name] = line_of(value)
        elif isinstance(plugin, dict) or name in known:
            values[name] = value
    said = {"values": values, "lines": lines, "strict": isinstance(plugin, dict)}
    return json.dumps(said, default=own_text, allow_nan=False).encode("utf-8", "surrogateescape"), functions
