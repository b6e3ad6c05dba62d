// Attempts from inside of the interpreter: its modules, its objects, its memory, its end.

export interface PythonAttempt {
  readonly code: string
  /** Of `status text`. */
  readonly expected: RegExp
}

/** Runs each of `calls`, lambdas as text, and answers what each raised, or that it did not. */
export const eachRaises = (imports: string, calls: readonly string[]): string => `
import ${imports}
def tried(call):
    try:
        return f'returned {call()!r}'[:200]
    except BaseException as error:
        return type(error).__name__
return [tried(call) for call in [${calls.map((call) => `lambda: ${call}`).join(', ')}]]`

const forbidden = [
  ...[
    'js',
    'pyodide',
    'pyodide_js',
    '_pyodide',
    '_pyodide_core',
    'pyodide.code',
    'pyodide.ffi',
    'ctypes',
    '_ctypes',
    '_posixsubprocess',
  ],
  ...['_testcapi', '_testinternalcapi', '_testbuffer', '_testmultiphase', '_testlimitedcapi', '_xxtestfuzz', 'xxsubtype'],
  ...['_remote_debugging', '_ctypes_test', 'pwd', 'grp', 'resource', 'multiprocessing.shared_memory'],
]

export const innerAttempts: Readonly<Record<string, PythonAttempt>> = {
  'importing what reaches JavaScript, raw memory or the machine': {
    code: `
import importlib
found = []
for name in ${JSON.stringify(forbidden)}:
    try:
        importlib.import_module(name)
        found.append(name)
    except ImportError:
        pass
return found`,
    expected: /^200 \[\]$/,
  },
  'asking the import machinery for removed built-in modules': {
    code: `
import _imp, sys
from importlib.machinery import BuiltinImporter, ModuleSpec
names = ['_ctypes', '_pyodide_core', '_posixsubprocess', '_testcapi']
found = [name for name in names if name in sys.builtin_module_names or _imp.is_builtin(name) or BuiltinImporter.find_spec(name)]
for name in names:
    try:
        if _imp.create_builtin(ModuleSpec(name, BuiltinImporter)) is not None:
            found.append(name)
    except BaseException:
        pass
return found`,
    expected: /^200 \[\]$/,
  },
  'loading native code': {
    code: `
import _imp
from importlib.machinery import ExtensionFileLoader, ModuleSpec
open('/tmp/own.so', 'wb').write(b'\\0asm\\1\\0\\0\\0\\0\\x0d\\x08dylink.0')
said = []
for make in (lambda: _imp.create_dynamic(ModuleSpec('own', None, origin='/tmp/own.so')),
             lambda: ExtensionFileLoader('own', '/tmp/own.so').create_module(ModuleSpec('own', None, origin='/tmp/own.so')),
             lambda: ExtensionFileLoader('own', '/usr/lib/libc.so.6').create_module(ModuleSpec('own', None))):
    try:
        said.append(repr(make()))
    except BaseException as error:
        said.append(type(error).__name__)
return said`,
    expected: /^200 \[('(ImportError|AttributeError|TypeError)'(, )?){3}\]$/,
  },
  'frozen modules and hooks of the import system': {
    code: `
import _imp, sys
said = [name for name in _imp._frozen_module_names() if 'js' in name.split('.') or 'pyodide' in name]
said += [type(hook).__name__ for hook in sys.meta_path if 'js' in type(hook).__name__.lower()]
said += [type(finder).__name__ for finder in sys.path_importer_cache.values() if 'js' in type(finder).__name__.lower()]
return said`,
    expected: /^200 \[\]$/,
  },
  'hunting for objects of the host among all objects': {
    code: `
import gc, types
seen, todo = set(), [object, *gc.get_objects()]
for thing in list(todo):
    todo.extend(gc.get_referents(thing))
kinds = {type(thing) for thing in todo}
return sorted(kind.__name__ for kind in kinds if 'js' in kind.__name__.lower() or 'proxy' in kind.__name__.lower() and kind.__module__ not in ('types', 'weakref', 'builtins') or kind.__module__.startswith('pyodide'))`,
    expected: /^200 \[\]$/,
  },
  'attributes of the functions of the host': {
    code: `
import uwsgi, gc
ours = [f for f in gc.get_objects() if type(f) is type(len) and f.__module__ in ('uwsgi', 'polywsgi')]
odd = [(f.__name__, name) for f in ours for name in dir(f) if name not in dir(len)]
held = [(f.__name__, f.__self__) for f in ours if f.__self__ is not None]
return len(ours) > 50, odd, held, [hasattr(uwsgi.log, name) for name in ('__globals__', '__code__', '__closure__', '__dict__')]`,
    expected: /^200 \(True, \[\], \[\], \[False, False, False, False\]\)$/,
  },
  'calling every function of the host with everything': {
    code: `
import gc, io
class Odd:
    def __index__(self): raise ZeroDivisionError
    def __len__(self): return -1
    def __buffer__(self, flags): raise ZeroDivisionError
# Not what ends the interpreter, or the request, by itself.
skipped = {'disconnect', 'close', 'finish_body', 'set_head', 'write_body', 'write_chunk', 'signal_wait', 'mule_get_msg', 'farm_get_msg', 'suspend', 'lock', 'sleep',
           'set_user_harakiri', 'sharedarea_wlock', 'sharedarea_rlock', 'sendfile', 'log', 'log_exception', 'log_client_gone', 'setprocname', 'enter_space',
           'register_signal', 'register_rpc', 'add_timer', 'add_ms_timer', 'add_rb_timer', 'send', 'derive_scrypt'}
ours = {f for f in gc.get_objects() if type(f) is type(len) and f.__module__ in ('uwsgi', 'polywsgi') and f.__name__ not in skipped}
values = [None, 0, -1, 2**62, -2**70, 1.5, float('nan'), '', 'a', '\\udcff', b'', b'\\0' * 70000, [], {}, (), Odd(), Odd, object(), io.BytesIO(), True]
count = 0
for f in ours:
    for arguments in [(), *[(value,) for value in values], *[(value, other) for value in values for other in values[:8]], (1,) * 9]:
        try:
            f(*arguments)
        except (Exception, SystemError):
            count += 1
return count > 1000`,
    expected: /^200 True$/,
  },
  'the frames below an application, and what they know': {
    code: `
import sys
frame, names, functions = sys._getframe(), set(), {}
while frame:
    names |= set(frame.f_globals) | set(frame.f_locals)
    functions.update({name: value for name, value in frame.f_globals.items() if type(value) is type(len) and value.__module__ == 'polywsgi'})
    frame = frame.f_back
sent = [fd for fd in range(-5, 300) if functions['set_file'](fd, 0)]
bodies = []
for serial in range(0, 300):
    try:
        functions['read_body'](serial, 1000)
        bodies.append(serial)
    except OSError:
        pass
return sorted(name for name in names if name in ('process', 'require', 'globalThis', 'Module', 'FS')), sent, len(bodies) <= 1`,
    expected: /^200 \(\[\], \[\], True\)$/,
  },
  'frames of tracebacks of our own files': {
    code: `
import uwsgi
found = []
for call in (lambda: uwsgi.cache_get(), lambda: uwsgi.connect('x'), lambda: uwsgi.call('none'), lambda: open('/none'), lambda: uwsgi.reload()):
    try:
        call()
    except BaseException as error:
        trace, links = error.__traceback__, [error.__cause__, error.__context__]
        while trace:
            found.append(trace.tb_frame.f_code.co_filename)
            trace = trace.tb_next
        found += [repr(link) for link in links if link is not None]
return sorted(set(found))`,
    expected: /^200 \['(<string>|[^']*console\.py)'(, '(<string>|[^']*console\.py)')*\]$/,
  },
  'byte code that no compiler makes': {
    code: `
import os
plain = (lambda: None).__code__
for seed in range(3000):
    code = plain.replace(co_code=os.urandom(64), co_stacksize=1, co_consts=(), co_names=())
    try:
        eval(code)
    except BaseException:
        pass
return 'survived'`,
    expected: /^(500|200 survived|504)/,
  },
  'constants that are not there': {
    code: `
import dis
def forge(): return 1
load = dis.opmap['LOAD_CONST']
for index in (200, 250, 255):
    code = forge.__code__.replace(co_code=bytes([load, index, dis.opmap['RETURN_VALUE'], 0]), co_consts=())
    try:
        value = eval(code)
        type(value), repr(value)
    except Exception:
        pass
return 'survived'`,
    expected: /^(500|200 'survived')/,
  },
  'unmarshalling junk': {
    code: `
import marshal, os
for seed in range(5000):
    try:
        value = marshal.loads(bytes([0xe3]) + os.urandom(40))
        eval(value)
    except BaseException:
        pass
return 'survived'`,
    expected: /^(500|200 'survived')/,
  },
  'pickles that call what they like': {
    code: `
import pickle
said = []
for payload in (b"cos\\nsystem\\n(S'touch ROOM/outside/pickled'\\ntR.", b"cposix\\nsystem\\n(S'touch ROOM/outside/pickled'\\ntR.", b"cbuiltins\\neval\\n(S'__import__(\\"js\\")'\\ntR."):
    try:
        said.append(pickle.loads(payload))
    except BaseException as error:
        said.append(type(error).__name__)
return said`,
    expected: /^200 \[-\d+, -\d+, 'ModuleNotFoundError'\]$/,
  },
  'commands and processes': {
    code: eachRaises('os, subprocess, pty, asyncio', [
      "os.system('touch ROOM/outside/made')",
      "os.popen('touch ROOM/outside/made').read()",
      "subprocess.run(['touch', 'ROOM/outside/made'])",
      "subprocess.getoutput('touch ROOM/outside/made')",
      "os.execv('/bin/touch', ['touch', 'ROOM/outside/made'])",
      "os.posix_spawn('/bin/touch', ['touch', 'ROOM/outside/made'], {})",
      "os.spawnv(os.P_WAIT, '/bin/touch', ['touch', 'ROOM/outside/made'])",
      'os.fork()',
      'os.forkpty()',
      "pty.spawn('/bin/sh')",
      "asyncio.run(asyncio.create_subprocess_shell('id'))",
    ])
      .replace('pty, asyncio', 'asyncio')
      .replace("lambda: pty.spawn('/bin/sh')", "lambda: __import__('pty').spawn('/bin/sh')"),
    expected: /^200 \['returned -\d+'(, '[A-Z]\w*')+\]$/,
  },
  sockets: {
    code: eachRaises('socket, asyncio, urllib.request, _socket', [
      'socket.socket()',
      'socket.socket(socket.AF_UNIX)',
      "socket.create_server(('127.0.0.1', 0))",
      "socket.create_connection(('127.0.0.1', 22))",
      "socket.getaddrinfo('localhost', 80)",
      '_socket.socket()',
      '[_socket.socket(fileno=fd).getpeername() for fd in range(3, 40)]',
      'socket.socketpair()',
      "urllib.request.urlopen('http://127.0.0.1/')",
      "asyncio.run(asyncio.open_connection('127.0.0.1', 22))",
      "asyncio.run(asyncio.start_server(print, '127.0.0.1', 0))",
    ]),
    expected: /^200 \[('[A-Z]\w*'|'gaierror')(, ('[A-Z]\w*'|'gaierror'))+\]$/,
  },
  threads: {
    code: eachRaises('threading, _thread, concurrent.futures', [
      'threading.Thread(target=print).start()',
      '_thread.start_new_thread(print, ())',
      'concurrent.futures.ThreadPoolExecutor().submit(print)',
      'concurrent.futures.ProcessPoolExecutor().submit(print)',
    ]),
    expected: /^200 \[('[A-Z]\w*'(, )?){4}\]$/,
  },
  'signals to the server and to whoever else': {
    code: `
import os, signal
said = []
for pid in (os.getppid(), 1, -1, 0, 2, 4711):
    for number in (signal.SIGTERM, signal.SIGHUP, 0):
        try:
            os.kill(pid, number) if pid != os.getpid() else None
            said.append('sent')
        except OSError as error:
            said.append(error.errno)
try:
    signal.signal(signal.SIGINT, signal.SIG_DFL), signal.signal(signal.SIGTERM, signal.SIG_IGN), signal.signal(signal.SIGSEGV, signal.SIG_IGN)
finally:
    return 'sent' in said`,
    expected: /^200 (True|False)$/,
  },
  'ending by the signal that cannot be caught': { code: 'import os; os.kill(os.getpid(), 9)', expected: /^(500|200)/ },
  'ending by abort': { code: 'import os; os.abort()', expected: /^500/ },
  'ending by exit': { code: 'import os; os._exit(3)', expected: /^500/ },
  'crashing by faulthandler': { code: 'import faulthandler; faulthandler._fatal_error_c_thread()', expected: /^(500|200)/ },
  'crashing by reading address zero': { code: 'import faulthandler; faulthandler._read_null()', expected: /^(500|200)/ },
  'overflowing the stack by faulthandler': { code: 'import faulthandler; faulthandler._stack_overflow()', expected: /^500/ },
  'recursion without a limit': {
    code: 'import sys; sys.setrecursionlimit(2**31 - 1)\ndef deeper(): return deeper()\nreturn deeper()',
    expected: /^500/,
  },
  'recursion in C': {
    code: 'value = []\nfor _ in range(500000): value = [value]\nreturn len(repr(value))',
    expected: /^500/,
  },
  'all of the memory': {
    code: 'held = []\nwhile True: held.append(bytearray(8 << 20))',
    expected: /^500 (MemoryError|Internal)/,
  },
}
