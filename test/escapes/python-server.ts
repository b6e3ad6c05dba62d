// Attempts by what the server gives: its module, its requests and responses, what it shows of itself.
import { eachRaises, type PythonAttempt } from './python-inner.ts'

export const serverAttempts: Readonly<Record<string, PythonAttempt>> = {
  'the environment': {
    code: `
import os, posix
names = sorted({**os.environ, **{key.decode(): value for key, value in posix.environ.items()}})
return names, os.getenv('HOST_SECRET'), os.getenvb(b'HOST_SECRET'), os.environ.get('NODE_OPTIONS')`,
    expected: /^200 \(\['HOME', 'LANG', 'PATH', 'PWD', 'USER'\], None, None, None\)$/,
  },
  'what Python says of itself': {
    code: `
import sys, sysconfig, site, platform, os
return [sys.argv, sys.orig_argv, sys.executable, sys.prefix, sys.base_prefix, sys.exec_prefix, sys.path, sys.flags, site.getsitepackages(),
        sysconfig.get_paths(), platform.uname(), os.uname(), os.getcwd(), os.getlogin if hasattr(os, 'getlogin') else None, sys._emscripten_info if hasattr(sys, '_emscripten_info') else None]`,
    expected: /^200 \[\['uwsgi'\], \[[^\]]*\], '\/usr\/bin\/python3'/,
  },
  'options of the server': {
    code: "import uwsgi; return uwsgi.opt, getattr(uwsgi, 'magic_table', None)",
    expected: /^200 \(\{\}, None\)$/,
  },
  'acting on the whole server': {
    code: eachRaises('uwsgi', [
      'uwsgi.reload()',
      'uwsgi.stop()',
      'uwsgi.set_spooler_frequency(1)',
      "uwsgi.add_file_monitor(3, '/etc/passwd')",
    ]),
    expected: /^200 \[('ValueError'(, )?){4}\]$/,
  },
  'putting the functions of the module back': {
    code: `
import uwsgi, importlib, sys, gc
stops = [f for f in gc.get_objects() if type(f) is type(len) and f.__module__ == 'uwsgi' and f.__name__ in ('stop', 'reload')]
said = []
for f in stops:
    try:
        said.append(f())
    except ValueError as error:
        said.append('sandbox' in str(error))
return set(said)`,
    expected: /^200 \{True\}$/,
  },
  'sending files': {
    code: eachRaises('uwsgi', [
      ...[
        '/etc/passwd',
        'ROOM/outside/secret',
        'ROOM/app/../outside/secret',
        'ROOM/app/link',
        '/proc/self/environ',
        '/dev/zero',
        'ROOM/app',
      ].map((path) => `uwsgi.sendfile('${path}')`),
      "uwsgi.sendfile('ROOM/app/data.txt\\0')",
    ]),
    expected: /^200 \[('(\w*Error|returned None)'(, )?){8}\]$/,
  },
  'wrapping files of the host': {
    code: `
import sys
environ = sys._getframe(1).f_locals['environ']
import os
os.symlink('ROOM/outside/secret', '/tmp/wrapped') if not os.path.lexists('/tmp/wrapped') else None
try:
    return list(environ['wsgi.file_wrapper'](open('/tmp/wrapped', 'rb')))
except OSError as error:
    return type(error).__name__`,
    expected: /^200 '(FileNotFound|NotADirectory)Error'$/,
  },
  'jobs in directories that are no spooler': {
    code: eachRaises('uwsgi', [
      "uwsgi.spool({'spooler': 'ROOM/outside', 'a': 'b'})",
      "uwsgi.spool({'spooler': '/etc', 'a': 'b'})",
      "uwsgi.spool({'priority': '../../outside', 'a': 'b'})",
      "uwsgi.spool({'a': 'b'})",
      "uwsgi.spooler_get_task('ROOM/outside/secret')",
      "uwsgi.spooler_get_task('/etc/passwd')",
    ]),
    expected: /^200 \[('ValueError'(, )?){6}\]$/,
  },
  'connecting to the server itself, and beyond': {
    code: eachRaises('uwsgi', [
      "uwsgi.connect('127.0.0.1:22')",
      "uwsgi.async_connect('[::1]:22')",
      "uwsgi.connect('/var/run/docker.sock')",
      "uwsgi.rpc('127.0.0.1:3031', 'x')",
      "uwsgi.signal(1, '127.0.0.1:3031')",
      "uwsgi.cache_get('x', 'default@127.0.0.1:3031')",
    ]),
    expected: /^200 \['ValueError', '\w*Error', 'ValueError', 'ValueError', '\w*Error', 'ValueError'\]$/,
  },
  'connections of others by their numbers': {
    code: `
import uwsgi
said = set()
for fd in range(0, 300):
    for call in (lambda: uwsgi.recv(fd, 100), lambda: uwsgi.is_connected(fd), lambda: uwsgi.wait_fd_read(fd, 1)):
        if fd == uwsgi.connection_fd(): continue
        try:
            said.add(repr(call()))
        except Exception as error:
            said.add(type(error).__name__)
return sorted(said)`,
    expected: /^200 \[('(\w*Error|None|False)'(, )?)*\]$/,
  },
  'headers that hold more than one line': {
    code: `
import sys
start = sys._getframe(1).f_locals['start_response']
said = []
for status, headers in (('200 OK\\r\\nX-Evil: 1', []), ('200 OK', [('X', 'a\\r\\nX-Evil: 1')]), ('200 OK', [('X\\r\\nX-Evil: 1', 'a')]), ('200 OK', [('X', 'a\\0X-Evil\\x001')])):
    try:
        start(status, headers)
        said.append('taken')
    except (ValueError, AssertionError) as error:
        said.append(type(error).__name__)
return said`,
    expected: /^200 \['ValueError', 'ValueError', 'ValueError', 'ValueError'\]$/,
  },
  'text that is no text': {
    code: `
import sys
start = sys._getframe(1).f_locals['start_response']
class Text(str):
    def __str__(self): return 'evil'
    def __len__(self): return 1 << 40
    def __iter__(self): raise ZeroDivisionError
    def encode(self, *_): raise ZeroDivisionError
class Pair(tuple):
    def __len__(self): return 2
    def __iter__(self): return iter([Text('X'), Text('y'), Text('Z')])
said = []
for status, headers in ((Text('200 OK\\n'), []), ('200 OK', [Pair(('a', 'b'))]), ('200 OK', [(Text('X\\n'), Text('y'))]), (b'200 OK', []), ('\\ud800', [])):
    try:
        start(status, headers)
        said.append('taken')
    except BaseException as error:
        said.append(type(error).__name__)
return 'taken' in said`,
    expected: /^200 False$/,
  },
  'built-ins that answer otherwise while the host reads': {
    code: `
import builtins, json
kept = {name: getattr(builtins, name) for name in ('str', 'isinstance', 'type', 'len', 'sum', 'map', 'bytes', 'list', 'tuple', 'getattr', 'callable', 'BaseException', 'OSError', 'AssertionError')}
import atexit
class Evil:
    def __call__(self, *args, **kwargs): return self
    def __getattr__(self, name): return self
    def __instancecheck__(self, other): return True
import sys
handle = sys._getframe(2)
try:
    for name in kept: setattr(builtins, name, Evil())
finally:
    for name, value in kept.items(): setattr(builtins, name, value)
return handle.f_code.co_filename.startswith('<polywsgi>')`,
    expected: /^200 (True|False)$/,
  },
  "replacing the binding's own functions": {
    code: `
import sys
frame = sys._getframe(2)
globals_of_ours = frame.f_globals
kept = dict(globals_of_ours)
said = []
try:
    for name in list(globals_of_ours):
        if not name.startswith('__'): globals_of_ours[name] = lambda *args, **kwargs: said.append(name)
finally:
    globals_of_ours.update(kept)
return len(kept) > 5`,
    expected: /^200 True$/,
  },
  'finalizers, and what they call': {
    code: `
import gc, uwsgi, weakref
said = []
class Last:
    def __del__(self):
        for call in (uwsgi.stop, uwsgi.reload, lambda: uwsgi.connect('127.0.0.1:1'), lambda: open('/etc/passwd')):
            try:
                call()
                said.append('done')
            except (ValueError, OSError):
                said.append('refused')
last = Last(); last.self = last; reference = weakref.ref(last, lambda _: said.append('gone'))
del last
gc.collect()
return said`,
    expected: /^200 \[('refused'(, )?){4}\]$|^200 \['gone', ('refused'(, )?){4}\]$|^200 \[('refused', ){4}'gone'\]$/,
  },
  'fields of the log that hold line breaks': {
    code: "import uwsgi; uwsgi.set_logvar('mine', 'x\\nPOST /forged [by a guest]\\n'); return 1",
    expected: /^200 1$/,
  },
  'shared memory beyond its ends': {
    code: `
import uwsgi
said = []
for call in (lambda: uwsgi.sharedarea_read(0, 1 << 30, 10), lambda: uwsgi.sharedarea_read(0, 0, 1 << 30), lambda: uwsgi.sharedarea_write(0, (1 << 31) - 1, b'x' * 100),
             lambda: uwsgi.sharedarea_read(99, 0, 1), lambda: uwsgi.sharedarea_read(0, -1, 1), lambda: uwsgi.cache_set('k' * 70000, b'v'), lambda: uwsgi.cache_get('k', 'none'),
             lambda: uwsgi.lock(1 << 30), lambda: uwsgi.unlock(-1), lambda: uwsgi.queue_set(1 << 40, b'x'), lambda: uwsgi.metric_set('none', 1)):
    try:
        said.append(call())
    except (ValueError, OverflowError) as error:
        said.append(type(error).__name__)
return said`,
    expected: /^200 \[('\w*Error'|None|False)(, ('\w*Error'|None|False))*\]$/,
  },
}
