// The guest's `uwsgi` module: every entry of the table is there, under all its names.
import { beforeAll, expect, test } from 'vitest'
import type { ApiEntry, ApiParameter } from '../../../host/api/kinds.ts'
import { apiTable } from '../../../host/api/table/index.ts'
import { PythonServer, probe } from './python-harness.ts'

let server: PythonServer
const ask = (code: string) => probe(server, `import uwsgi\n${code}`)

beforeAll(async () => {
  const opt = new Map<string, readonly (string | true)[]>([
    ['workers', ['2']],
    ['mount', ['/a=a.py', '/b=b.py']],
    ['master', [true]],
    ['name', ['sm\u00f8rrebr\u00f8d']],
    ['mixed', [true, 'x']],
  ])
  server = await PythonServer.boot('probe.py', { opt, workerId: 3 })
})

test('the module has every entry of the table, each with a description', async () => {
  const entries = apiTable as readonly ApiEntry[]
  // Hooks are there once a guest has set them.
  const names = entries.flatMap((entry) => {
    if (entry.shape === 'hook') return []
    return entry.shape === 'function' ? [entry.name, ...(entry.aliases ?? [])] : [entry.name]
  })
  names.sort()
  const listed = await ask("result = ' '.join(sorted(n for n in dir(uwsgi) if not n.startswith('__')))")
  expect(listed).toBe(names.join(' '))
  for (const entry of entries) {
    if (entry.shape !== 'function') continue
    expect(await ask(`result = uwsgi.${entry.name}.__doc__`)).toContain(entry.doc)
    const parameters = `inspect.signature(uwsgi.${entry.name}).parameters.values()`
    const seen = await ask(`import inspect; result = ' '.join('*' * (p.kind == 2) + p.name for p in ${parameters})`)
    expect(seen).toBe(entry.params.map(({ variadic, name }: ApiParameter) => (variadic ? `*${name}` : name)).join(' '))
  }
  expect(await ask('result = type(uwsgi), uwsgi.__name__, uwsgi.log.__module__')).toBe("(<class 'module'>, 'uwsgi', 'uwsgi')")
})

test('attributes are bytes, and options are a dict as on uWSGI', async () => {
  expect(await ask('result = uwsgi.version, uwsgi.hostname')).toBe("(b'0.0.0-test', b'test-host')")
  expect(await ask('result = uwsgi.opt')).toBe(
    "{'workers': b'2', 'mount': [b'/a=a.py', b'/b=b.py'], 'master': True, 'name': b'sm\\xc3\\xb8rrebr\\xc3\\xb8d', 'mixed': [True, b'x']}",
  )
})

test('functions answer', async () => {
  expect(await ask('result = uwsgi.worker_id(), uwsgi.masterpid()')).toBe(`(3, ${process.pid})`)
})

test('log writes text and bytes as they are, by position and by name', async () => {
  server.takeLog()
  expect(await ask("result = uwsgi.log('caf\\xe9'), uwsgi.log(message=b'bytes'), uwsgi.log(bytearray(b'array'))")).toBe(
    '(True, True, True)',
  )
  expect(server.takeLog()).toEqual(['café', 'bytes', 'array'])
})

test.each([
  ['uwsgi.log()', "TypeError: uwsgi.log(): missing argument 'message'"],
  ['uwsgi.log(5)', "TypeError: uwsgi.log(): argument 'message' must be text or bytes"],
  ['uwsgi.log(None)', "TypeError: uwsgi.log(): missing argument 'message'"],
  ['uwsgi.log([])', "TypeError: uwsgi.log(): argument 'message' is of a type the API does not take"],
  ['uwsgi.log("a", "b")', 'TypeError: uwsgi.log(): takes at most 1 argument, got 2'],
  ['uwsgi.log(*range(100000))', 'TypeError: uwsgi.log(): takes at most 1 argument, got 2'],
  ['uwsgi.log(text="a")', "TypeError: uwsgi.log(): got an unexpected keyword argument 'text'"],
  ['uwsgi.log("a", message="b")', "TypeError: uwsgi.log(): got multiple values for argument 'message'"],
  ['uwsgi.log("\\ud800")', "ValueError: uwsgi.log(): argument 'message' holds a lone surrogate"],
  ['uwsgi.worker_id(1)', 'TypeError: uwsgi.worker_id(): takes at most 0 arguments, got 1'],
])('%s is refused in words', async (call, complaint) => {
  expect(await ask(`result = ${call}`)).toBe(complaint)
})
