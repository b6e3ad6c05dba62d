// Guests are guests: what they may not reach, and how much they may use. Every attempt is made from inside a request.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import plugin from '../../../bindings/python/index.ts'
import { pythonCallsOurs } from '../../support/guest-attacks.ts'
import { PluginHarness } from '../../support/plugin-harness.ts'
import { appPath, PythonServer, probe } from './python-harness.ts'

const memoryLimit = 64 * 1024 * 1024
let server: PythonServer
let scratch: string
let mounted: PluginHarness

beforeAll(async () => {
  server = await PythonServer.boot('mounted/probe.py', { memoryLimit })
  scratch = await mkdtemp(join(tmpdir(), 'polywsgi-python-'))
  await mkdir(join(scratch, 'app', 'package'), { recursive: true })
  await writeFile(join(scratch, 'app', 'probe.py'), await readFile(appPath('probe.py')))
  await writeFile(join(scratch, 'app', 'data.txt'), 'data')
  await writeFile(join(scratch, 'secret.txt'), 'secret')
  await symlink(join(scratch, 'secret.txt'), join(scratch, 'app', 'absolute-link'))
  await symlink('../secret.txt', join(scratch, 'app', 'relative-link'))
  await symlink('data.txt', join(scratch, 'app', 'inner-link'))
  await symlink('/', join(scratch, 'app', 'root-link'))
  mounted = await PluginHarness.boot(plugin)
  await mounted.mount(join(scratch, 'app', 'probe.py'))
})
afterAll(async () => {
  await rm(scratch, { recursive: true })
})

const inMount = async (code: string): Promise<string> => (await mounted.request({ method: 'POST', body: code })).text

describe('the host language', () => {
  test.each([
    'js',
    'pyodide_js',
    'pyodide',
    '_pyodide',
    '_pyodide_core',
    'pyodide.ffi',
    'ctypes',
    '_ctypes',
    '_testcapi',
    '_posixsubprocess',
  ])('is not importable as %s', async (name) => {
    expect(await probe(server, `import ${name}`)).toMatch(/^ModuleNotFoundError: No module named/)
  })
  test('has no object among those that Python knows', async () => {
    const code = `
import gc
kinds = {type(thing) for thing in gc.get_objects()} | set(object.__subclasses__())
result = sorted(kind.__name__ for kind in kinds if 'Js' in kind.__name__ or 'Proxy' in kind.__name__ and kind.__module__ not in ('types', 'weakref', 'builtins'))`
    expect(await probe(server, code)).toBe('[]')
  })
  test('gives functions that have no more than any built-in function', async () => {
    const code = 'import uwsgi; result = type(uwsgi.log), sorted(set(dir(uwsgi.log)) - set(dir(len))), uwsgi.log.__self__'
    expect(await probe(server, code)).toBe("(<class 'builtin_function_or_method'>, [], None)")
  })
  test('is safe from our own functions being called with anything', async () => {
    const code = pythonCallsOurs([
      "('write_body', 5)",
      "('finish_body', 'text')",
      "('set_head', '200 OK')",
      "('set_head', 1, 2)",
      "('read_body', 1, 2)",
      "('read_body_into', 7, b'constant')",
      "('log_exception',)",
      "('log_exception', 1, 2)",
      "('log_client_gone', None)",
    ])
    expect((await probe(server, code)).split('\n')).toEqual([
      'TypeError: expected bytes, int found',
      'TypeError: expected bytes, str found',
      'TypeError: set_head() takes 2 arguments, got 1',
      'TypeError: bad argument type for built-in operation',
      'OSError: the request that this body belongs to has ended',
      'BufferError: Object is not writable.',
      'TypeError: log_exception() takes 2 arguments, got 0',
      'TypeError: expected bytes, int found',
      'TypeError: expected bytes, NoneType found',
    ])
  })
  test('cannot be brought back through the built-in import machinery', async () => {
    const code = `
import _imp, sys
from importlib.machinery import ModuleSpec
result = [_imp.create_builtin(ModuleSpec(name, None)) for name in ('_pyodide_core', '_ctypes')]`
    expect(await probe(server, code)).toMatch(/^(ImportError|SystemError|\[None, None\])/)
  })
  test('does not load native code', async () => {
    const code = `
import _imp
from importlib.machinery import ModuleSpec
open('/tmp/own.so', 'wb').write(b'\\0asm\\1\\0\\0\\0')
_imp.create_dynamic(ModuleSpec('own', None, origin='/tmp/own.so'))`
    expect(await probe(server, code)).toMatch(/^(ImportError|AttributeError)/)
  })
})

describe('the host system', () => {
  test('runs no commands', async () => {
    const witness = join(scratch, 'witness')
    expect(await probe(server, `import os; result = os.system('touch ${witness}') == 0`)).toBe('False')
    expect(await probe(server, `import subprocess; subprocess.run(['touch', '${witness}'])`)).toMatch(
      /^(OSError|NotImplementedError)/,
    )
    expect(await probe(server, `import os; os.popen('touch ${witness}').read()`)).toMatch(/Error/)
    expect(await probe(server, 'import os; os.fork()')).toMatch(/^(AttributeError|OSError|NotImplementedError)/)
    expect(await probe(server, "import os; os.execv('/bin/true', ['true'])")).toMatch(
      /^(AttributeError|OSError|NotImplementedError)/,
    )
    expect(existsSync(witness)).toBe(false)
  })
  test.each([
    ['socket.socket()', /^(OSError|PermissionError).*(97|5|Address family|not supported)/i],
    ["socket.create_connection(('127.0.0.1', 1))", /^(OSError|gaierror)/],
    ["socket.getaddrinfo('localhost', 80)", /^gaierror/],
    ['socket.socketpair()', /^(OSError|AttributeError|NotImplementedError)/],
    ["socket.gethostbyname('example.org')", /^(gaierror|herror|OSError)/],
  ])('opens no connection by %s', async (call, complaint) => {
    expect(await probe(server, `import socket; result = ${call}`)).toMatch(complaint)
  })
  test('shows no files but those mounted', async () => {
    for (const path of ['/etc/passwd', '/proc/self/environ', '/proc/self/fd/../../../etc/passwd', process.execPath, '/work']) {
      expect(await probe(server, `open(${JSON.stringify(path)}).read()`)).toMatch(
        /^(FileNotFoundError|IsADirectoryError|NotADirectoryError)/,
      )
    }
    expect(await probe(server, "import os; result = sorted(os.listdir('/'))")).not.toContain('etc')
  })
  test('shows nothing of its environment or paths', async () => {
    const shown = await probe(
      server,
      'import os, sys; result = dict(os.environ), sys.executable, sys.argv, sys.prefix, os.getcwd()',
    )
    expect(shown).not.toContain(process.execPath)
    expect(shown).not.toContain(process.env['HOME'] ?? 'nothing')
    expect(shown).toMatch(/'PATH': '\/usr\/bin:\/bin'/)
    expect(shown).not.toMatch(/LOGNAME|'_'/)
  })
  test('gives no threads, timers or pipes', async () => {
    expect(await probe(server, 'import threading; threading.Thread(target=print).start()')).toMatch(
      /^RuntimeError: can't start new thread/,
    )
    expect(await probe(server, 'import os; os.pipe()')).toMatch(/^OSError/)
    expect(await probe(server, 'import signal; signal.setitimer(0, 1)')).toMatch(/Error/)
  })
})

describe('mounted directories', () => {
  const app = () => join(scratch, 'app')

  test('are readable at their own paths', async () => {
    expect(await inMount(`result = open('${app()}/data.txt').read(), open('${app()}/inner-link').read()`)).toBe(
      "('data', 'data')",
    )
    expect(await inMount(`import os; result = os.path.isdir('${app()}/package'), os.path.getsize('${app()}/data.txt')`)).toBe(
      '(True, 4)',
    )
    expect(
      await inMount(
        `import mmap; f = open('${app()}/data.txt', 'rb'); result = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)[1:3]`,
      ),
    ).toBe("b'at'")
    expect(
      await inMount(
        `import os; fd = os.open('${app()}/data.txt', 0); other = os.dup(fd); os.close(fd); result = os.read(other, 9)`,
      ),
    ).toBe("b'data'")
    expect(await inMount(`f = open('${app()}/data.txt'); f.seek(0, 2); end = f.tell(); f.seek(1); result = end, f.read()`)).toBe(
      "(4, 'ata')",
    )
  })

  test.each([
    ["open(p + '/data.txt', 'w')"],
    ["open(p + '/data.txt', 'a')"],
    ["open(p + '/data.txt', 'r+')"],
    ["open(p + '/new.txt', 'x')"],
    ["os.open(p + '/data.txt', os.O_RDONLY | os.O_TRUNC)"],
    ["os.truncate(p + '/data.txt', 0)"],
    ["os.ftruncate(os.open(p + '/data.txt', os.O_RDONLY), 0)"],
    ["os.write(os.open(p + '/data.txt', os.O_RDONLY), b'x')"],
    ["os.unlink(p + '/data.txt')"],
    ["os.rename(p + '/data.txt', p + '/other.txt')"],
    ["os.rename(p + '/data.txt', '/tmp/other.txt')"],
    ["open('/tmp/mine', 'w').close(); os.rename('/tmp/mine', p + '/data.txt')"],
    ["os.mkdir(p + '/new')"],
    ["os.rmdir(p + '/package')"],
    ["os.symlink('/etc', p + '/link')"],
    ["os.link(p + '/data.txt', p + '/link')"],
    ["os.chmod(p + '/data.txt', 0o777)"],
    ["os.fchmod(os.open(p + '/data.txt', os.O_RDONLY), 0o777)"],
    ["os.utime(p + '/data.txt', (0, 0))"],
    ["os.mknod(p + '/node')"],
  ])('refuse %s', async (call) => {
    expect(await inMount(`import os; p = '${app()}'; ${call}`)).toMatch(
      /^(OSError|PermissionError|AttributeError|FileExistsError|UnsupportedOperation|NotADirectoryError)/,
    )
    expect(await readFile(join(app(), 'data.txt'), 'utf8')).toBe('data')
    for (const name of ['new.txt', 'other.txt', 'new', 'link', 'node']) expect(existsSync(join(app(), name))).toBe(false)
  })

  test.each(['absolute-link', 'relative-link', 'root-link/etc/passwd', '../secret.txt', '../../../../etc/passwd'])(
    'do not lead out by %s',
    async (path) => {
      expect(await inMount(`open('${app()}/${path}').read()`)).toMatch(/^FileNotFoundError/)
      expect(await inMount(`import os; os.open('${app()}/${path}', os.O_RDONLY | os.O_NOFOLLOW)`)).toMatch(
        /^(OSError|FileNotFoundError)/,
      )
    },
  )

  test('do not follow a link that replaced a file after Python had seen it', async () => {
    await writeFile(join(app(), 'changing.txt'), 'before')
    expect(await inMount(`result = open('${app()}/changing.txt').read()`)).toBe('before')
    await rm(join(app(), 'changing.txt'))
    await symlink(join(scratch, 'secret.txt'), join(app(), 'changing.txt'))
    expect(await inMount(`open('${app()}/changing.txt').read()`)).toMatch(/^OSError/)
  })
})

describe('the standard library', () => {
  test('cannot be written: it is shared by all workers', async () => {
    for (const call of [
      "open('/lib/python314.zip', 'wb')",
      "open('/lib/python314.zip', 'r+b')",
      "os.write(os.open('/lib/python314.zip', os.O_RDONLY), b'x')",
      "os.truncate('/lib/python314.zip', 0)",
      "os.chmod('/lib/python314.zip', 0o777)",
    ]) {
      expect(await probe(server, `import os; ${call}`)).toMatch(/^OSError/)
    }
    expect(await probe(server, 'import colorsys; result = colorsys.__name__')).toBe('colorsys')
  })
})

describe('memory', () => {
  test('beyond the limit is MemoryError, and the interpreter lives', async () => {
    expect(await probe(server, "result = len(b'x' * (200 * 1024 * 1024))")).toMatch(/^MemoryError/)
    expect(await probe(server, 'data = []\nwhile True: data.append(bytes(1024 * 1024))')).toMatch(/^MemoryError/)
    expect(await probe(server, 'result = sum(range(1000))')).toBe('499500')
  })
  test('that the application does not catch is 500, and the next request is served', async () => {
    const hungry = await PythonServer.boot('inputs.py', { memoryLimit })
    const response = await hungry.ask('application', { method: 'POST', path: '/read', body: new Uint8Array(70 * 1024 * 1024) })
    expect(response).toMatchObject({ status: '500 Internal Server Error', result: -1 })
    expect(hungry.takeLog().at(-1)).toMatch(/^MemoryError/)
    expect((await hungry.ask('application', { method: 'POST', path: '/read', body: 'small' })).text).toBe('small')
  })
  test('of which there is too little to start in is an error that says so', async () => {
    await expect(PluginHarness.boot(plugin, { memoryLimit: 1024 * 1024 })).rejects.toThrow(
      /^python: a memory limit of 1 MiB is too little: the interpreter starts with \d+ MiB$/,
    )
  })
  test('of files has a limit of its own, and what is deleted counts no more', async () => {
    const fill = `
import os
try:
    with open('/tmp/filler', 'wb') as f:
        for _ in range(1000): f.write(bytes(1024 * 1024)); f.flush()
except OSError as error:
    result = error.errno == __import__('errno').ENOSPC, os.path.getsize('/tmp/filler') // 2**20
finally:
    os.unlink('/tmp/filler')`
    const first = await probe(server, fill)
    expect(first).toMatch(/^\(True, (5|6)\d\)$/)
    expect(await probe(server, fill)).toBe(first)
    expect(await probe(server, "import os; f = open('/tmp/t', 'wb'); f.truncate(2**40)")).toMatch(/^OSError/)
  })
  test('of many files has a limit too', async () => {
    const code = `
import os, errno
os.mkdir('/tmp/many')
try:
    for number in range(100000): open(f'/tmp/many/{number}', 'w').close()
except OSError as error:
    result = error.errno == errno.ENOSPC, number > 10000
for name in os.listdir('/tmp/many'): os.unlink('/tmp/many/' + name)
open('/tmp/many/again', 'w').close()`
    expect(await probe(server, code)).toBe('(True, True)')
  })
})
