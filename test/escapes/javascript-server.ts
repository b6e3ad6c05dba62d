// Attempts of JavaScript guests by what the server gives them: modules, files, its module, responses, the log.
import type { Attempt } from './attempt.ts'
import { each, times } from './javascript-inner.ts'

const outside = [
  '/etc/passwd',
  '../outside/secret',
  'ROOM/outside/secret',
  'ROOM/app/../outside/secret',
  './/..//outside/./secret',
  'link',
  './link',
  'directory-link/secret',
  'root-link/etc/passwd',
  'ROOM/writable/out/secret',
  '/proc/self/environ',
  '/proc/self/mem',
  '/proc/self/fd/0',
  '/dev/zero',
  '/dev/stdin',
  'file:///etc/passwd',
  'data.txt\\0../outside/secret',
  '..\\\\outside\\\\secret',
  '%2e%2e/outside/secret',
  '',
  'ROOM/options.ini',
]

const modules = [
  'node:fs',
  'fs',
  'node:process',
  'node:module',
  'child_process',
  'worker_threads',
  'qjs:std',
  'std',
  'os',
  'bjson',
  'data:text/javascript,export default process',
  'data:text/javascript;base64,ZXhwb3J0IGRlZmF1bHQgMQ==',
  'http://127.0.0.1/x.js',
  'blob:x',
  'file:///etc/passwd',
  '/etc/passwd',
  '../outside/secret',
  './../outside/secret',
  './%2e%2e/outside/secret',
  './link',
  './directory-link/secret',
  './root-link/etc/passwd',
  './data.txt\\0',
  './data.txt?x',
  './data.txt#x',
  'polywsgi',
  'polywsgi/plugin',
  '#worker-entry',
  '\\x01polywsgi',
  '',
  '.',
  '..',
  '/',
  'uwsgi/../fs',
  'uwsgi/fs/../../x',
  '__proto__',
  'constructor',
]

const withFs = (code: string): string => `const { default: fs } = await import('uwsgi/fs')\n${code}`

export const serverAttempts: Readonly<Record<string, Attempt>> = {
  'modules elsewhere': {
    code: each(modules.map((name) => `await import("${name}")`)),
    expected: times(modules.length, 'raised'),
  },
  'modules of the glue': {
    code: each(
      [
        'polywsgi:primordials.js',
        'polywsgi:calls.js',
        'polywsgi:dispatch.js',
        'polywsgi:mount.js',
        'polywsgi:platform.js',
        'polywsgi:uwsgi.js',
        'polywsgi:files.js',
      ].map(
        (name) =>
          `Object.values(await import('${name}')).flatMap((value) => Object.keys(value ?? {})).find((name) => name === 'resolveModule' || name === 'commonJsFunction')`,
      ),
    ),
    expected: /^200 "((raised|undefined) ?){7}"$/,
  },
  'modules named by objects': {
    code: each([
      'await import({ toString() { return "node:fs" } })',
      'await import({ get [Symbol.toPrimitive]() { return () => "../outside/secret" } })',
      'await import(new Proxy({}, {}))',
      'await import("./data.txt", { with: { type: "json" } })',
      'await import("../outside/secret", { with: { type: "text" } })',
      'await import("./link", { with: { type: "bytes" } })',
    ]),
    expected: times(6, 'raised'),
  },
  'modules by code of its own': {
    code: each([
      'await new Function(\'return import("../outside/secret")\')()',
      'await (0, eval)(\'import("/etc/passwd")\')',
      'await new (async () => {}).constructor(\'return import("node:fs")\')()',
      'await Promise.resolve("node:fs").then((name) => import(name))',
      "await (0, eval)('import.meta')",
      'await (async () => { const {default: r} = await import("./require.cjs"); return r })()',
    ]),
    expected: times(6, 'raised'),
  },
  'reading files elsewhere': {
    code: withFs(each(outside.map((path) => `fs.readFile("${path}")`))),
    expected: times(outside.length, 'raised'),
  },
  'asking for files elsewhere': {
    code: withFs(each(outside.map((path) => `fs.stat("${path}")`))),
    expected: /^200 "(raised ?)+(object|raised)?( raised)*"$/,
  },
  'the names beside directories that it may see': {
    code: withFs(`return fs.readdir('..').join(' ')`),
    expected: /^200 "app writable"$/,
  },
  'directories elsewhere': {
    code: withFs(
      each(
        ['/', '/etc', '../outside', 'directory-link', 'root-link', 'ROOM/writable/out', '/proc/self/fd'].map(
          (path) => `fs.readdir("${path}")`,
        ),
      ),
    ),
    expected: times(7, 'raised'),
  },
  'writing files elsewhere': {
    code: withFs(
      each([
        ...outside.flatMap((path) => [`fs.writeFile("${path}", 'x')`, `fs.appendFile("${path}", 'x')`]),
        `fs.writeFile('console.mjs', 'x')`,
        `fs.writeFile('new', 'x')`,
        `fs.mkdir('../made')`,
        `fs.mkdir('made')`,
        `fs.remove('data.txt')`,
        `fs.remove('../outside/secret')`,
        `fs.remove('ROOM/writable/out/secret')`,
        `fs.rename('data.txt', 'ROOM/writable/data.txt')`,
        `fs.rename('ROOM/writable', 'ROOM/elsewhere')`,
        `fs.rename('ROOM/writable/out/secret', 'ROOM/writable/secret')`,
        `fs.rename('link', 'ROOM/writable/secret')`,
      ]),
    ),
    expected: times(outside.length * 2 + 11, 'raised'),
  },
  'paths that are no text': {
    code: withFs(
      each([
        'fs.readFile({ toString: () => "../outside/secret" })',
        'fs.readFile(["/etc/passwd"])',
        'fs.readFile(new URL("file:///etc/passwd"))',
        'fs.readFile(new TextEncoder().encode("/etc/passwd"))',
        'fs.readFile(0)',
        'fs.readFile(3)',
        'fs.readFile(undefined)',
        'fs.readFile("data.txt", -1)',
        'fs.readFile("data.txt", 0, 2 ** 53)',
        'fs.readFile.call(null, "/etc/passwd")',
      ]),
    ),
    expected: /^200 "((raised|object) ?){10}"$/,
  },
  'the environment': {
    code: `
const { default: env } = await import('uwsgi/env')
try { env.HOST_SECRET = 'mine' } catch {}
return [env.HOST_SECRET === 'mine' ? undefined : env.HOST_SECRET, env.PATH, Object.keys(env).filter((name) => name !== 'HOST_SECRET').length, env.__proto__?.HOST_SECRET]`,
    expected: /^200 \[undefined,undefined,0,undefined\]$/,
  },
  'options of the server': {
    code: 'return [Object.keys(uwsgi.opt).length, uwsgi.magicTable]',
    expected: /^200 \[0,undefined\]$/,
  },
  'acting on the whole server': {
    code: each([
      'uwsgi.reload()',
      'uwsgi.stop()',
      'uwsgi.setSpoolerFrequency(1)',
      "uwsgi.addFileMonitor(3, '/etc/passwd')",
      "uwsgi.addFileMonitor(3, '../outside/secret')",
    ]),
    expected: times(5, 'raised'),
  },
  'the functions that were taken away, by its module': {
    code: `
const api = await import('uwsgi')
const said = []
for (const name of ['reload', 'stop', 'setSpoolerFrequency']) for (const from of [api, api.default, uwsgi, globalThis.uwsgi ?? {}]) {
  try { if (typeof from[name] === 'function') { from[name].call({}, 1); said.push(name) } } catch {}
  try { Reflect.apply(from[name], null, [1]); said.push(name) } catch {}
}
return said.length`,
    expected: /^200 0$/,
  },
  'sending files': {
    code: each(
      [
        '/etc/passwd',
        'ROOM/outside/secret',
        'ROOM/app/../outside/secret',
        'ROOM/app/link',
        '/proc/self/environ',
        '/dev/zero',
        'ROOM/app',
        'ROOM/app/data.txt\\0',
      ].map((path) => `uwsgi.sendfile("${path}") || undefined`),
    ),
    expected: /^200 "((raised|undefined) ?){8}"$/,
  },
  'jobs in directories that are no spooler': {
    code: each([
      "uwsgi.spool({ spooler: 'ROOM/outside', a: 'b' })",
      "uwsgi.spool({ spooler: '/etc', a: 'b' })",
      "uwsgi.spool({ priority: '../../outside', a: 'b' })",
      "uwsgi.spool({ a: 'b' })",
      "uwsgi.spoolerGetTask('ROOM/outside/secret')",
      "uwsgi.spoolerGetTask('/etc/passwd')",
      "uwsgi.spoolerGetTask('../../etc/passwd')",
    ]),
    expected: times(7, 'raised'),
  },
  connections: {
    code: each([
      "await uwsgi.connect('127.0.0.1:22')",
      "await uwsgi.asyncConnect('[::1]:22')",
      "await uwsgi.connect('/var/run/docker.sock')",
      "await uwsgi.rpc('127.0.0.1:3031', 'x')",
      "await uwsgi.signal(1, '127.0.0.1:3031')",
      "await uwsgi.cacheGet('x', 'default@127.0.0.1:3031')",
      "await fetch('http://127.0.0.1:22')",
      "await fetch('file:///etc/passwd')",
    ]),
    expected: times(8, 'raised'),
  },
  'connections of others by their numbers': {
    code: `
const own = uwsgi.connectionFd(), said = []
for (let fd = 0; fd < 200; fd += 1) if (fd !== own) for (const call of [uwsgi.recv, uwsgi.send, uwsgi.isConnected, uwsgi.waitFdRead]) {
  try { if (await call(fd, 'x')) said.push(fd) } catch {}
}
return said.length`,
    expected: /^200 0$/,
  },
  'areas, caches and locks out of their bounds': {
    code: each([
      "uwsgi.cacheGet('x', 'other')",
      'uwsgi.sharedareaRead(0, -1, 10)',
      'uwsgi.sharedareaRead(0, 0, 2 ** 40)',
      'uwsgi.sharedareaRead(0, 2n ** 62n, 1)',
      'uwsgi.sharedareaRead(99, 0, 1)',
      "uwsgi.sharedareaWrite(0, 4096, 'x')",
      'uwsgi.sharedareaWlock(-1)',
      'uwsgi.lock(99)',
      'uwsgi.unlock(-1)',
    ]),
    expected: /^200 "((raised|undefined|null) ?){9}"$/,
  },
  'results of RPC functions that are no text': {
    code: `
const said = []
const make = { proxy: () => new Proxy({}, { get() { throw new Error('get') } }), revoked: () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy },
  thenable: () => ({ then(resolve) { resolve({ toString() { return 'x' } }) } }), gone: () => { const b = new ArrayBuffer(8); structuredClone(b, { transfer: [b] }); return b }, self: () => uwsgi.call('self'), symbol: () => Symbol() }
for (const [name, run] of Object.entries(make)) {
  uwsgi.registerRpc(name, run)
  try { const value = await uwsgi.call(name); said.push(value === undefined || value === null || value.length === 0 ? 'nothing' : typeof value) } catch { said.push('raised') }
}
return said.join(' ')`,
    expected: /^200 "((raised|nothing) ?){6}"$/,
  },
  'lines of the log': {
    code: `
console.log('%s%o%d', '\\r\\n[pid: 1] forged', new Proxy({}, { get() { throw 1 }, ownKeys() { throw 2 } }), { valueOf() { throw 3 } })
console.log({ get a() { throw new Error('getter') }, [Symbol.for('nodejs.util.inspect.custom')](depth, options, inspect) { return typeof inspect + inspect?.constructor?.constructor('return process')?.().pid } })
uwsgi.log('\\u001b[2J')
return 'logged'`,
    expected: /^(200 "logged"|500 )/,
  },
}

/** What apps answer that try to have their client read more than one response. */
export const forgedResponses: readonly (readonly [what: string, returned: string])[] = [
  ['a status of two lines', `new Response('', { statusText: 'OK\\r\\nX-Evil: 1' })`],
  ['a header of two lines', `new Response('', { headers: { X: 'a\\r\\nX-Evil: 1' } })`],
  ['a header with a NUL', `new Response('', { headers: { X: 'a\\0X-Evil\\x001' } })`],
  ['a name of two lines', `new Response('', { headers: { 'X\\r\\nX-Evil': '1' } })`],
  ['headers that lie', `Object.defineProperty(new Response(''), 'headers', { value: new Map([['X', 'a\\r\\nX-Evil: 1']]) })`],
  [
    'a prototype of a response',
    `Object.create(Response.prototype, { status: { value: 200 }, headers: { value: [['X', 'a\\r\\nX-Evil: 1']] }, body: { value: null } })`,
  ],
  [
    'a proxy of a response',
    `new Proxy(new Response('x'), { get(target, key) { if (key === 'headers') return [['X', 'a\\r\\nX-Evil: 1']]; return Reflect.get(target, key) } })`,
  ],
  ['a revoked proxy', `(() => { const { proxy, revoke } = Proxy.revocable(new Response('x'), {}); revoke(); return proxy })()`],
  [
    'a body that passes for the next response',
    `new Response('xHTTP/1.1 200 OK\\r\\nX-Evil: 1\\r\\n\\r\\n', { headers: { 'Content-Length': '1' } })`,
  ],
  ['a thenable without an end', `({ then(resolve) { resolve({ get then() { throw { get stack() { throw 1 } } } }) } })`],
]
