// The guest's `uwsgi` module: every entry of the table, and the conversion of every kind of value both ways.
import { beforeAll, describe, expect, test } from 'vitest'
import plugin from '../../../bindings/python/index.ts'
import { installApi } from '../../../bindings/python/install.ts'
import { Interpreter } from '../../../bindings/python/runtime.ts'
import type { BoundApi } from '../../../host/api/bind.ts'
import { checkArguments } from '../../../host/api/bind.ts'
import type { ApiFunction, ApiType, ApiValue } from '../../../host/api/kinds.ts'
import { apiTable } from '../../../host/api/table/index.ts'
import { ClientError } from '../../../host/errors.ts'
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
  const names = apiTable.map(({ name }) => name).sort()
  const listed = await ask("result = ' '.join(sorted(n for n in dir(uwsgi) if not n.startswith('__')))")
  expect(listed).toBe(names.join(' '))
  for (const entry of apiTable) {
    if (entry.shape !== 'function') continue
    expect(await ask(`result = uwsgi.${entry.name}.__doc__`)).toContain(entry.doc)
    expect(await ask(`import inspect; result = inspect.signature(uwsgi.${entry.name})`)).toBe(
      `(${entry.params.map(({ name }) => name).join(', ')})`,
    )
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

describe('values', () => {
  /** An interpreter whose `uwsgi` module has functions of our own. */
  const bootWith = async (
    answer: (args: readonly ApiValue[]) => ApiValue,
    params: ApiFunction['params'],
    returns: ApiType,
  ): Promise<(code: string) => string> => {
    await plugin.init?.({ log, opt: new Map(), workers: 1, isNeeded: true })
    const image = plugin.data as NonNullable<Parameters<typeof Interpreter.boot>[0]['image']>
    const interpreter = await Interpreter.boot({ image, log, memoryLimit: 128 * 1024 * 1024 })
    const entry: ApiFunction = {
      shape: 'function',
      name: 'pass_on',
      group: 'logging',
      kind: 'immediate',
      params,
      returns,
      raises: [],
      doc: 'Passes on.',
      example: { js: '', lua: '', python: '' },
    }
    const bound: BoundApi = { functions: [{ entry, call: (args) => answer(checkArguments(entry, args)) }], attributes: [] }
    return interpreter.enter((api) => {
      installApi(interpreter, bound)
      const runner = interpreter.runGuestFile(
        'runner',
        'from uwsgi import pass_on\ndef run(code):\n  try:\n    return repr(eval(code))\n  except BaseException as e:\n    return f"{type(e).__name__}: {e}"\n',
      )
      return (code) => {
        const text = api.newStr(code)
        const result = api.c.PyObject_CallOneArg(interpreter.lookUp(runner, 'run'), text)
        return api.strText(result) ?? 'no text'
      }
    })
  }
  const log = { text: () => {}, bytes: () => {} }
  const one = (type: ApiFunction['params'][number]['type']): ApiFunction['params'] => [{ name: 'value', type, doc: '' }]

  test('integers of any size are exact both ways', async () => {
    let seen: ApiValue
    const run = await bootWith((args) => (seen = args[0]), one('int'), 'int')
    for (const power of [0, 7, 8, 15, 16, 30, 31, 32, 33, 52, 53, 54, 62, 63, 64, 65, 100, 1000]) {
      for (const offset of [-1n, 0n, 1n]) {
        for (const sign of [1n, -1n]) {
          const value = sign * (2n ** BigInt(power) + offset)
          expect(run(`pass_on(${value})`)).toBe(String(value))
          expect(BigInt(seen as number | bigint)).toBe(value)
          if (typeof seen === 'number') expect(Number.isSafeInteger(seen)).toBe(true)
        }
      }
    }
    expect(run('pass_on(1 << 100000)')).toBe("ValueError: uwsgi.pass_on(): argument 'value' is out of range")
    expect(run('pass_on(1.5)')).toBe("TypeError: uwsgi.pass_on(): argument 'value' must be a whole number")
    expect(run('pass_on(True)')).toBe("TypeError: uwsgi.pass_on(): argument 'value' must be a whole number")
  })

  test('bytes of every value and kind of buffer pass', async () => {
    const run = await bootWith((args) => args[0], one('bytes'), 'bytes')
    const every = 'bytes(range(256))'
    for (const form of [every, `bytearray(${every})`, `memoryview(${every})`, `__import__("array").array("B", range(256))`]) {
      expect(run(`pass_on(${form}) == ${every}`)).toBe('True')
    }
    expect(run("pass_on(b'')")).toBe("b''")
    expect(run("pass_on('\\0\\u2603')")).toBe("b'\\x00\\xe2\\x98\\x83'")
    expect(run('pass_on(memoryview(b"abcd")[::2])')).toBe(
      "TypeError: uwsgi.pass_on(): argument 'value' is of a type the API does not take",
    )
    expect(run('len(pass_on(bytes(3000000)))')).toBe('3000000')
  })

  test('text passes, whatever its characters', async () => {
    const run = await bootWith((args) => args[0], one('text'), 'text')
    for (const text of ['', 'ascii', 'caf\u00e9', '\u2603', '\u{1f600}', 'a\0b']) {
      expect(run(`pass_on(${JSON.stringify(text)}) == ${JSON.stringify(text)}`.replaceAll('\\u0000', '\\x00'))).toBe('True')
    }
    expect(run("pass_on('utf-8 \\u2603'.encode())")).toBe("'utf-8 \u2603'")
    expect(run("pass_on(b'\\xff')")).toBe("TypeError: uwsgi.pass_on(): argument 'value' must be text")
  })

  test('floats, booleans and nothing pass', async () => {
    const floats = await bootWith((args) => args[0], one('float'), 'float')
    expect([floats('pass_on(1.5)'), floats('pass_on(2.0)'), floats('pass_on(-0.0)'), floats('pass_on(float("inf"))')]).toEqual([
      '1.5',
      '2.0',
      '-0.0',
      'inf',
    ])
    const booleans = await bootWith((args) => args[0], one('bool'), 'bool')
    expect([booleans('pass_on(True)'), booleans('pass_on(False)')]).toEqual(['True', 'False'])
    const nothing = await bootWith(() => undefined, [], 'none')
    expect(nothing('pass_on()')).toBe('None')
  })

  test('defaults stand for what is not given, in the signature too', async () => {
    const params: ApiFunction['params'] = [
      { name: 'key', type: 'text', doc: '' },
      { name: 'expires', type: 'int', default: 7, unit: 's', doc: '' },
      { name: 'cache', type: 'text', default: null, doc: '' },
    ]
    const run = await bootWith((args) => args.map(String).join('/'), params, 'text')
    expect(run("pass_on('k')")).toBe("'k/7/undefined'")
    expect(run("pass_on('k', cache='c')")).toBe("'k/7/c'")
    expect(run("pass_on(cache='c', key='k', expires=1)")).toBe("'k/1/c'")
    expect(run("pass_on('k', None, None)")).toBe("'k/7/undefined'")
    expect(run('pass_on(expires=1)')).toBe("TypeError: uwsgi.pass_on(): missing argument 'key'")
    expect(run("str(__import__('inspect').signature(pass_on))")).toBe("'(key, expires=7, cache=None)'")
  })

  test('what goes wrong on the host is OSError with its message', async () => {
    const errors = [new ClientError('CLIENT_GONE', 'gone'), new RangeError('odd'), 'no error at all']
    const run = await bootWith(
      (args) => {
        throw errors[args[0] as number]
      },
      one('int'),
      'none',
    )
    expect([0, 1, 2].map((index) => run(`pass_on(${index})`))).toEqual([
      'OSError: gone',
      'OSError: odd',
      'OSError: no error at all',
    ])
  })
})
