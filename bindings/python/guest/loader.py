# Loads applications, and runs the programs of mules. Differs from uWSGI: all of them live in one interpreter. What uWSGI
# keeps apart by an interpreter per app is kept apart here by spaces: one per directory of apps, with a sys.path of its own
# and its own share of sys.modules. A module that lies below the directory belongs to its space; library modules are shared
# by all. The host says which space is active: that of the application, function or program that it runs.
# Finds in its namespace: describe, handler_of, NotAnApplication.
import sys
from importlib import import_module
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from types import CoroutineType, ModuleType

library_path = tuple(sys.path)
# The very dict that imports use, whatever becomes of the attribute.
modules = sys.modules
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
    """Puts a space's modules and path in place, and those of the one before away. Never raises, whatever guests have made of both."""
    global active
    if space is active:
        return
    path = getattr(sys, "path", None)
    if active is not None:
        if isinstance(path, list):
            active.path = path[:]
        own = {}
        for name in modules.keys() - shared_names:
            module = modules.get(name)
            try:
                is_own = active.owns(module)
            except BaseException:
                # Objects of any kind may be in there. It is asked again next time.
                continue
            if is_own:
                own[name] = module
                modules.pop(name, None)
            else:
                shared_names.add(name)
        active.modules = own
    if isinstance(path, list):
        path[:] = space.path
    else:
        sys.path = list(space.path)
    modules.update(space.modules)
    active = space


def active_space():
    return active


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


def load(is_file, source, callable_name):
    """Loads one application into the active space. Returns (interface, handler), or (summary, traceback) as bytes when that fails."""
    try:
        module = import_file(source) if is_file else import_module(source)
        application, name = find_callable(module, source, callable_name)
        return handler_of(application, name)
    except NotAnApplication as error:
        return str(error).encode("utf-8", "backslashreplace"), b""
    except BaseException as error:
        return describe(error)


def run_script(path):
    """Runs a file to its end, as `python FILE` does."""
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec")
    main = ModuleType("__main__")
    main.__file__ = path
    sys.modules["__main__"] = main
    sys.argv[:] = [path]
    run_program(lambda: exec(code, main.__dict__))


def knows_module(name):
    """Whether there is such a module: a bare name may be the program of another language."""
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            return False
        raise


def run_module(name, callable_name):
    """Imports a module and, if a function of it is named, calls that."""

    def program():
        module = import_module(name)
        result = getattr(module, callable_name)() if callable_name else None
        if type(result) is CoroutineType:
            from asyncio import run

            run(result)

    run_program(program)


def run_program(program):
    try:
        program()
    except SystemExit as end:
        if end.code not in (None, 0):
            raise


def find_callable(module, source, name):
    # Differs from uWSGI: without a configured name, `app` serves where there is no `application`.
    candidates = (name,) if name else ("application", "app")
    for candidate in candidates:
        found = getattr(module, candidate, None)
        if found is None:
            continue
        if not callable(found):
            raise NotAnApplication(f"'{candidate}' in {source} is not callable: it is of type {type(found).__name__}")
        return found, candidate
    if name:
        raise NotAnApplication(f"{source} does not define '{name}'")
    raise NotAnApplication(f"{source} does not define 'application' (nor 'app')")
