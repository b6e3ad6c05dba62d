# Loads applications. Differs from uWSGI: all of them live in one interpreter. What uWSGI keeps apart by an interpreter per
# app is kept apart here by spaces: one per directory of apps, with a sys.path of its own and its own share of sys.modules. A module that lies
# below the directory belongs to its space; library modules are shared by all.
# Finds in its namespace: describe, make_handler.
import sys
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location

library_path = tuple(sys.path)
spaces = {}
active = None
# Names in sys.modules that were looked at and belong to no space.
shared_names = set()


class Space:
    __slots__ = ("directory", "path", "modules")

    def __init__(self, directory, python_path):
        self.directory = directory
        self.path = list(dict.fromkeys([directory, *python_path, *library_path]))
        self.modules = {}

    def owns(self, module):
        spec = getattr(module, "__spec__", None)
        if spec is None:
            return False
        below = self.directory + "/"
        if spec.origin is not None and spec.has_location:
            return spec.origin.startswith(below)
        locations = spec.submodule_search_locations
        return locations is not None and any(place.startswith(below) for place in locations)


def space_of(directory, python_path):
    if directory not in spaces:
        spaces[directory] = Space(directory, python_path)
    return spaces[directory]


def activate(space):
    """Puts a space's modules and path in place, and those of the one before away."""
    global active
    if space is active:
        return
    if active is not None:
        active.path = sys.path[:]
        own = {}
        for name in sys.modules.keys() - shared_names:
            module = sys.modules[name]
            if active.owns(module):
                own[name] = module
                del sys.modules[name]
            else:
                shared_names.add(name)
        active.modules = own
    sys.path[:] = space.path
    sys.modules.update(space.modules)
    active = space


def import_file(path):
    """The module of an application file, under a name that no other file's module has."""
    plain = "uwsgi_file_" + "".join(char if char.isalnum() and char.isascii() else "_" for char in path)
    name, number = plain, 1
    while name in sys.modules:
        if sys.modules[name].__file__ == path:
            return sys.modules[name]
        number += 1
        name = f"{plain}_{number}"
    spec = spec_from_file_location(name, path, loader=SourceFileLoader(name, path))
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return module


def load(is_file, source, callable_name, directory, python_path):
    """
    Loads one application. Returns (space, handler), or (None, summary, traceback) as bytes when that fails.
    """
    space = space_of(directory, python_path)
    activate(space)
    try:
        module = import_file(source) if is_file else import_module(source)
        application = find_callable(module, source, callable_name)
    except NotAnApplication as error:
        return None, str(error).encode("utf-8", "backslashreplace"), b""
    except BaseException as error:
        return None, *describe(error)
    return space, make_handler(application)


class NotAnApplication(Exception):
    pass


def find_callable(module, source, name):
    # Differs from uWSGI: without a configured name, `app` serves where there is no `application`.
    candidates = (name,) if name else ("application", "app")
    for candidate in candidates:
        found = getattr(module, candidate, None)
        if found is None:
            continue
        if not callable(found):
            raise NotAnApplication(f"'{candidate}' in {source} is not callable: it is of type {type(found).__name__}")
        return found
    if name:
        raise NotAnApplication(f"{source} does not define '{name}'")
    raise NotAnApplication(f"{source} does not define 'application' (nor 'app')")
