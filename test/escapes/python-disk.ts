// Attempts by files: those of the host by any path, descriptors, file systems inside of others.
import { eachRaises, type PythonAttempt } from './python-inner.ts'

export const diskAttempts: Readonly<Record<string, PythonAttempt>> = {
  'paths of the host': {
    code: eachRaises(
      'os',
      [
        ...['/etc/passwd', 'ROOM/outside/secret', 'ROOM/app/../outside/secret', '../outside/secret', 'ROOM/options.ini'],
        ...['/proc/self/environ', '/proc/self/mem', '/proc/self/maps', '/proc/1/cmdline', '/sys/kernel/notes', '/root/.bashrc'],
      ].map((path) => `open(${JSON.stringify(path)}).read()`),
    ),
    expected: /^200 \[('(FileNotFoundError|NotADirectoryError)'(, )?){11}\]$/,
  },
  'links that lie in its directory': {
    code: eachRaises('os', [
      ...['link', 'directory-link/secret', 'root-link/etc/passwd'].map((path) => `open('ROOM/app/${path}').read()`),
      "open('ROOM/writable/out/secret').read()",
      "open('ROOM/writable/out/new', 'w')",
      "os.stat('ROOM/app/link')",
    ]),
    expected: /^200 \[('FileNotFoundError'(, )?){6}\]$/,
  },
  'links that it makes itself': {
    code: `
import os
said = []
for make in (lambda: os.symlink('ROOM/outside', 'ROOM/writable/made'), lambda: getattr(os, 'link', lambda *_: open('/none'))('ROOM/outside/secret', 'ROOM/writable/made'),
             lambda: os.symlink('/etc', '/tmp/etc') or open('/tmp/etc/passwd').read(),
             lambda: os.rename('ROOM/writable/out', 'ROOM/writable/renamed') or open('ROOM/writable/renamed/secret').read()):
    try:
        said.append(make())
    except OSError as error:
        said.append(type(error).__name__)
if os.path.lexists('ROOM/writable/renamed'):
    os.rename('ROOM/writable/renamed', 'ROOM/writable/out')
return said`,
    expected: /^200 \['\w*Error', '\w*Error', 'FileNotFoundError', 'FileNotFoundError'\]$/,
  },
  'directories exchanged for links between two looks': {
    code: `
import os
said = set()
os.makedirs('ROOM/writable/d', exist_ok=True)
open('ROOM/writable/d/secret', 'w').write('mine')
os.stat('ROOM/writable/d/secret')
for _ in range(50):
    os.rename('ROOM/writable/d', 'ROOM/writable/e')
    os.rename('ROOM/writable/out', 'ROOM/writable/d')
    try:
        said.add(open('ROOM/writable/d/secret').read())
    except OSError as error:
        said.add(type(error).__name__)
    os.rename('ROOM/writable/d', 'ROOM/writable/out')
    os.rename('ROOM/writable/e', 'ROOM/writable/d')
    said.add(open('ROOM/writable/d/secret').read())
return sorted(said)`,
    expected: /^200 \['FileNotFoundError', 'mine'\]$/,
  },
  'changing its own files': {
    code: eachRaises('os, pathlib, shutil', [
      "open('ROOM/app/data.txt', 'w')",
      "open('ROOM/app/data.txt', 'r+')",
      "open('ROOM/app/new', 'x')",
      "os.open('ROOM/app/data.txt', os.O_RDWR)",
      "os.open('ROOM/app/data.txt', os.O_RDONLY | os.O_TRUNC)",
      "os.open('ROOM/app/new', os.O_CREAT | os.O_WRONLY)",
      "os.truncate('ROOM/app/data.txt', 0)",
      "os.unlink('ROOM/app/data.txt')",
      "os.rename('ROOM/app/data.txt', 'ROOM/writable/data.txt')",
      "os.rename('ROOM/app/console.py', 'ROOM/app/other.py')",
      "os.chmod('ROOM/app/data.txt', 0)",
      "os.chown('ROOM/app/data.txt', 0, 0)",
      "os.utime('ROOM/app/data.txt', (0, 0))",
      "os.mkdir('ROOM/app/new')",
      "shutil.rmtree('ROOM/app')",
      "pathlib.Path('ROOM/app/new').touch()",
      "pathlib.Path('ROOM/outside/new').write_text('x')",
      "os.mkdir('ROOM/outside/new')",
    ]),
    expected: /^200 \[('\w*Error'(, )?){18}\]$/,
  },
  'flags of open': {
    code: `
import os
said = []
for flags in (0o10000000, 0o20200000, os.O_DIRECTORY, os.O_NONBLOCK, os.O_CREAT, os.O_EXCL | os.O_CREAT | os.O_WRONLY, 0o1000, -1):
    for path in ('ROOM/outside/secret', '/etc/passwd', 'ROOM/app/link', 'ROOM/app/directory-link'):
        try:
            said.append(os.read(os.open(path, flags), 100))
        except OSError:
            pass
return said`,
    expected: /^200 \[(b''(, )?)*\]$/,
  },
  'descriptors that nobody gave it': {
    code: `
import os
found = []
for fd in range(0, 400):
    try:
        data = os.read(fd, 1 << 16)
        if data:
            found.append((fd, data[:20]))
    except OSError:
        pass
    for act in (lambda: os.lseek(fd, 0, 0), lambda: os.ftruncate(fd, 0), lambda: os.fchmod(fd, 0), lambda: os.pread(fd, 10, 0), lambda: os.ttyname(fd), lambda: os.get_terminal_size(fd)):
        try:
            act()
        except (OSError, ValueError):
            pass
return found`,
    expected: /^200 \[\]$/,
  },
  'the standard streams': {
    code: `
import os, sys
said = [sys.stdin.read(), os.read(0, 10)]
for fd in (0, 1, 2):
    copy = os.dup(fd)
    said.append(os.fstat(copy).st_size)
    os.close(copy)
return said`,
    expected: /^200 \['', b'', 0, 0, 0\]$/,
  },
  devices: {
    code: `
import os
names = sorted(os.listdir('/dev'))
odd = [name for name in names if name not in ('fd', 'null', 'random', 'urandom', 'shm', 'stdin', 'stdout', 'stderr', 'tty', 'tty1')]
said = []
for path in ('/dev/mem', '/dev/sda', '/dev/kmsg', '/dev/fd/3', '/proc/self/fd/3', '/dev/stdin'):
    try:
        said.append(open(path, 'rb').read(10))
    except OSError as error:
        said.append(type(error).__name__)
try:
    os.mknod('/tmp/disk', 0o60600, 0x800) if hasattr(os, 'mknod') else None
    said.append(open('/tmp/disk', 'rb').read(10))
except OSError as error:
    said.append(type(error).__name__)
return odd, said`,
    expected: /^200 \(\[\], \[('\w*Error'|b'')(, ('\w*Error'|b''))*\]\)$/,
  },
  'what lies at the root': {
    code: "import os\nreturn sorted(set(os.listdir('/')) & {'etc', 'root', 'bin', 'sbin', 'var', 'opt', 'boot', 'srv'}), os.path.exists('/etc'), sorted(os.listdir('/proc'))",
    expected: /^200 \(\[\], False, \['self'\]\)$/,
  },
  'changing the root, and mounting': {
    code: eachRaises('os', [
      "os.chroot('/')",
      "os.mount('/', '/x')",
      "os.chdir('ROOM/outside')",
      "os.open('ROOM/outside', os.O_RDONLY, dir_fd=os.open('/', os.O_RDONLY))",
    ]),
    expected: /^200 \[('\w*Error'(, )?){4}\]$/,
  },
  'directories of descriptors': {
    code: `
import os
fd = os.open('ROOM/app', os.O_RDONLY)
said = []
for path in ('../outside/secret', 'link', './../outside/secret', 'root-link/etc/passwd'):
    try:
        said.append(os.read(os.open(path, os.O_RDONLY, dir_fd=fd), 10))
    except OSError as error:
        said.append(type(error).__name__)
return said`,
    expected: /^200 \[('(FileNotFound|NotADirectory)Error'(, )?){4}\]$/,
  },
  'memory that is a file': {
    code: `
import mmap, os
said = []
fd = os.open('ROOM/app/data.txt', os.O_RDONLY)
for flags, protection in ((mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE), (mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_WRITE)):
    try:
        view = mmap.mmap(fd, 4, flags, protection)
        view[:4] = b'evil'
        view.flush()
        said.append('written')
    except BaseException as error:
        said.append(type(error).__name__)
for length in (1 << 31, 1 << 40):
    try:
        mmap.mmap(-1, length)
        said.append('mapped')
    except BaseException as error:
        said.append(type(error).__name__)
return said`,
    expected: /^200 \['(\w*Error|written)', '(\w*Error|written)', '\w*Error', '\w*Error'\]$/,
  },
  'archives that name files elsewhere': {
    code: `
import io, tarfile, zipfile, zipimport
said = []
for call in (lambda: zipimport.zipimporter('/lib/python314.zip').get_data('/lib/python314.zip/../../etc/passwd'),
             lambda: zipimport.zipimporter('ROOM/outside/secret'), lambda: zipfile.ZipFile('ROOM/outside/secret')):
    try:
        said.append(call())
    except BaseException as error:
        said.append(type(error).__name__)
archive = io.BytesIO()
with zipfile.ZipFile(archive, 'w') as made:
    made.writestr('../../../../../../ROOM/outside/zipped', 'x')
zipfile.ZipFile(archive).extractall('/tmp/a')
archive = io.BytesIO()
with tarfile.open(fileobj=archive, mode='w') as made:
    made.addfile(tarfile.TarInfo('../../../../..ROOM/outside/tarred'), io.BytesIO(b''))
    link = tarfile.TarInfo('link'); link.type = tarfile.SYMTYPE; link.linkname = 'ROOM/outside'
    made.addfile(link)
    made.addfile(tarfile.TarInfo('link/tarred'), io.BytesIO(b''))
archive.seek(0)
try:
    tarfile.open(fileobj=archive).extractall('/tmp/b', filter='fully_trusted')
except BaseException as error:
    said.append(type(error).__name__)
return said`,
    expected: /^200 \[('\w+'(, )?){3,4}\]$/,
  },
  'a database': {
    code: `
import sqlite3
said = []
connection = sqlite3.connect(':memory:')
for statement in ("ATTACH DATABASE 'ROOM/outside/made' AS other", "ATTACH DATABASE 'file:ROOM/outside/secret?mode=ro' AS third"):
    try:
        connection.execute(statement)
        said.append(connection.execute('SELECT * FROM other.sqlite_master').fetchall())
    except sqlite3.Error as error:
        said.append(type(error).__name__)
try:
    connection.enable_load_extension(True)
    connection.load_extension('/usr/lib/libc.so.6')
    said.append('loaded')
except BaseException as error:
    said.append(type(error).__name__)
return said`,
    expected: /^200 \['\w*Error', '\w*Error', '\w*Error'\]$/,
  },
  'importing from anywhere': {
    code: `
import sys, importlib.util, runpy
said = []
sys.path[:0] = ['/etc', 'ROOM/outside', '/proc/self/cwd']
for call in (lambda: __import__('passwd'), lambda: runpy.run_path('ROOM/outside/secret'), lambda: importlib.util.spec_from_file_location('x', 'ROOM/outside/secret').loader):
    try:
        said.append(repr(call()))
    except BaseException as error:
        said.append(type(error).__name__)
del sys.path[:3]
return said`,
    expected:
      /^200 \['ModuleNotFoundError', 'FileNotFoundError', '\w+'\]$|^200 \['ModuleNotFoundError', '\w+', 'AttributeError'\]$/,
  },
  'filling the disk in memory': {
    code: `
import errno
try:
    with open('/tmp/large', 'wb') as file:
        for _ in range(1000): file.write(bytes(1 << 20))
    return 'full'
except (OSError, MemoryError) as error:
    return type(error).__name__, getattr(error, 'errno', 0) == errno.ENOSPC
finally:
    import os
    os.remove('/tmp/large')`,
    expected: /^200 \('(OSError', True|MemoryError', False)\)$/,
  },
  'a file without end in the directory it may write': {
    code: `
import os
try:
    with open('ROOM/writable/large', 'wb') as file:
        file.seek(1 << 40)
        file.write(b'x')
    return 'written'
except OSError as error:
    return type(error).__name__
finally:
    os.remove('ROOM/writable/large')`,
    expected: /^200 'OSError'$/,
  },
  'more open files than the server has': {
    code: `
held = []
try:
    while len(held) < 5000: held.append(open('ROOM/app/data.txt'))
except OSError as error:
    return type(error).__name__, len(held) < 300
finally:
    for file in held: file.close()`,
    expected: /^200 \('OSError', True\)$/,
  },
}
