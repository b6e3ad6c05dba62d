// Every kind of value of the API, from Python to the host and back.
import { expect, test } from 'vitest'
import type { ApiParameter, ApiResult, ApiValue } from '../../../host/api/kinds.ts'
import { ApiError, ClientError, GuestError } from '../../../host/errors.ts'
import { Guest, parameter } from './guest.ts'

/** An interpreter with the one function `uwsgi.pass_on`, and how to run code in it. */
const bootWith = async (
  call: (...args: ApiValue[]) => ApiValue,
  params: readonly ApiParameter[],
  returns: ApiResult,
): Promise<(code: string) => string> => {
  const guest = await Guest.boot([{ name: 'pass_on', params, returns, call }])
  guest.run('from uwsgi import pass_on')
  return (code) => guest.run(code)
}
const refusal = (kind: 'TypeError' | 'ValueError', complaint: string) => `${kind}: uwsgi.pass_on(): argument 'value' ${complaint}`

test('integers are exact both ways, up to the range of their type', async () => {
  let seen: ApiValue
  const keep = (value: ApiValue) => {
    seen = value
    return value
  }
  const small = await bootWith(keep, [parameter('int')], 'int')
  const wide = await bootWith(keep, [parameter('int64')], 'int64')
  for (const power of [0, 7, 8, 15, 16, 30, 31, 32, 33, 52, 53, 54, 62, 63, 64, 65, 100, 1000]) {
    for (const offset of [-1n, 0n, 1n]) {
      for (const sign of [1n, -1n]) {
        const value = sign * (2n ** BigInt(power) + offset)
        const range = `must be from -9007199254740991 to 9007199254740991, not ${value}`
        const isSafe = BigInt.asIntN(54, value) === value && value !== -(2n ** 53n)
        expect(small(`pass_on(${value})`)).toBe(isSafe ? String(value) : refusal('ValueError', range))
        if (isSafe) expect(seen).toBe(Number(value))
        const fits = BigInt.asIntN(64, value) === value
        expect(wide(`pass_on(${value})`)).toBe(fits ? `${value}` : refusal('ValueError', `must fit 64 bits, ${value} does not`))
        if (fits) expect(seen).toBe(value)
      }
    }
  }
  expect(small('pass_on(1 << 100000)')).toBe(refusal('ValueError', 'is out of range'))
  for (const float of ['1.5', '2.0'])
    expect(small(`pass_on(${float})`)).toBe(refusal('TypeError', 'must be a whole number, not float'))
  expect(small('pass_on(True)')).toBe(refusal('TypeError', 'must be a whole number'))
  expect(wide("pass_on('1')")).toBe(refusal('TypeError', 'must be a whole number'))
})

test('numbers of the host arrive whole, whatever their size', async () => {
  const values = [
    0,
    -1,
    255,
    2 ** 31,
    -(2 ** 31) - 1,
    Number.MAX_SAFE_INTEGER,
    2n ** 63n - 1n,
    -(2n ** 63n),
    2n ** 64n,
    -(2n ** 90n),
  ]
  const run = await bootWith((index) => values[index as number], [parameter('int')], 'int')
  expect(values.map((_, index) => run(`pass_on(${index})`))).toEqual(values.map(String))
})

test('bytes of every value and kind of buffer pass', async () => {
  const run = await bootWith((value) => value, [parameter('bytes')], 'bytes')
  const every = 'bytes(range(256))'
  const forms = [every, `bytearray(${every})`, `memoryview(${every})`, `__import__("array").array("B", range(256))`]
  for (const form of [...forms, `type('Sub', (bytes,), {})(${every})`]) expect(run(`pass_on(${form}) == ${every}`)).toBe('True')
  expect(run("pass_on(b'')")).toBe("b''")
  expect(run("pass_on('\\0\\u2603')")).toBe("b'\\x00\\xe2\\x98\\x83'")
  expect(run("pass_on(type('Sub', (str,), {})('sub'))")).toBe("b'sub'")
  expect(run("pass_on('\\ud800')")).toBe(refusal('ValueError', 'holds a lone surrogate'))
  expect(run('pass_on(5)')).toBe(refusal('TypeError', 'must be text or bytes'))
  expect(run('pass_on(memoryview(b"abcd")[::2])')).toBe(refusal('TypeError', 'is of a type the API does not take'))
  expect(run('len(pass_on(bytes(3000000)))')).toBe('3000000')
  expect(run("type(pass_on(b'x' * 100)), pass_on(b'\\xff\\xfe\\0')")).toBe("(<class 'bytes'>, b'\\xff\\xfe\\x00')")
})

test('text passes, whatever its characters', async () => {
  const run = await bootWith((value) => value, [parameter('text')], 'text')
  for (const text of ['', 'ascii', 'caf\u00e9', '\u2603', '\u{1f600}', 'a\0b']) {
    expect(run(`pass_on(${JSON.stringify(text)}) == ${JSON.stringify(text)}`.replaceAll('\\u0000', '\\x00'))).toBe('True')
  }
  expect(run("pass_on('utf-8 \\u2603'.encode())")).toBe("'utf-8 \u2603'")
  expect(run("pass_on(b'\\xff')")).toBe(refusal('TypeError', 'must be text'))
  expect(run("pass_on('\\udfff')")).toBe(refusal('ValueError', 'holds a lone surrogate'))
  const lone = await bootWith(() => 'a\ud800b', [], 'text')
  expect(lone('ascii(pass_on())')).toBe(`"'a\\\\ufffdb'"`)
})

test('floats, booleans and nothing pass', async () => {
  const floats = await bootWith((value) => value, [parameter('float')], 'float')
  expect(['1.5', '2.0', '-0.0', 'float("inf")', '3'].map((value) => floats(`pass_on(${value})`))).toEqual([
    '1.5',
    '2.0',
    '-0.0',
    'inf',
    '3.0',
  ])
  const booleans = await bootWith((value) => value, [parameter('bool')], 'bool')
  expect(['True', 'False', '1', '0', '2', '1 << 70'].map((value) => booleans(`pass_on(${value})`))).toEqual([
    'True',
    'False',
    'True',
    'False',
    'True',
    'True',
  ])
  expect(booleans("pass_on('yes')")).toBe(refusal('TypeError', 'must be a boolean'))
  const nothing = await bootWith(() => undefined, [], 'none')
  expect(nothing('pass_on()')).toBe('None')
})

test('a whole number or bytes: what the guest passes decides', async () => {
  let seen: ApiValue
  const remember = (value: ApiValue) => {
    seen = value
    return undefined
  }
  const run = await bootWith(remember, [parameter('int|bytes', { min: 0 })], 'none')
  expect(run('pass_on(7)')).toBe('None')
  expect(seen).toBe(7)
  expect(run("pass_on('caf\\xe9')")).toBe('None')
  expect(seen).toEqual(new Uint8Array(Buffer.from('café')))
  expect(run('pass_on(-1)')).toBe(refusal('ValueError', 'must be from 0 to 9007199254740991, not -1'))
  expect(run('pass_on(1.0)')).toBe(refusal('TypeError', 'must be a whole number, not float'))
  expect(run('pass_on([])')).toBe(refusal('TypeError', 'is of a type the API does not take'))
})

test('a dict arrives as names and bytes, in its order', async () => {
  let seen: ApiValue
  const remember = (value: ApiValue) => {
    seen = value
    return undefined
  }
  const run = await bootWith(remember, [parameter('dict')], 'none')
  const job = "{b'k\\0\\xff': b'\\0\\xfe', 'caf\\xe9': 'na\\xefve', b'n': -(2 ** 70), 'e': b'', '': 0}"
  expect(run(`pass_on(${job})`)).toBe('None')
  expect([...(seen as Map<string, Uint8Array>)].map(([key, value]) => [key, Buffer.from(value).toString('latin1')])).toEqual([
    ['k\0\xff', '\0\xfe'],
    [Buffer.from('café').toString('latin1'), Buffer.from('naïve').toString('latin1')],
    ['n', String(-(2n ** 70n))],
    ['e', ''],
    ['', '0'],
  ])
  expect(run("pass_on(type('Job', (dict,), {})(a=b'1'))")).toBe('None')
  expect([...(seen as Map<string, Uint8Array>).keys()]).toEqual(['a'])
  expect(run('pass_on({})')).toBe('None')
  expect(seen).toEqual(new Map())
  expect(run('pass_on({str(n): n for n in range(1000)})')).toBe('None')
  expect((seen as Map<string, Uint8Array>).size).toBe(1000)
})

test.each([
  ['[]', 'TypeError', 'must be a dict'],
  ["{b'a': b'1', b'key': 1.5}", 'TypeError', "has a value that is neither bytes, str nor a whole number: 'key'"],
  ["{b'key': None}", 'TypeError', "has a value that is neither bytes, str nor a whole number: 'key'"],
  ["{b'key': True}", 'TypeError', "has a value that is neither bytes, str nor a whole number: 'key'"],
  ["{b'key': bytearray(1)}", 'TypeError', "has a value that is neither bytes, str nor a whole number: 'key'"],
  ["{b'a': b'1', 2: b'2'}", 'TypeError', 'has a key that is neither str nor bytes: number 2'],
  ["{b'a': b'1', 'a': b'2'}", 'ValueError', "has 'a' twice, as str and as bytes"],
  ["{'\\ud800': b''}", 'ValueError', 'holds a lone surrogate'],
  ["{b'': '\\ud800'}", 'ValueError', 'holds a lone surrogate'],
  ["{b'': 1 << 100000}", 'ValueError', 'is out of range'],
] as const)('the dict %s is refused in words', async (value, kind, complaint) => {
  const run = await bootWith(() => undefined, [parameter('dict')], 'none')
  expect(run(`pass_on(${value})`)).toBe(refusal(kind, complaint))
})

test('lists, records and dicts of the host become those of Python, nested as they are', async () => {
  const list = (item: ApiResult): ApiResult => ({ list: item, python: 'list' })
  const tuple = (item: ApiResult): ApiResult => ({ list: item, python: 'tuple' })
  const worker: ApiResult = {
    record: { id: 'int', status: 'bytes', rate: 'float', apps: tuple({ record: { name: 'text' } }), gone: 'int' },
  }
  const results: [ApiResult, ApiValue, string][] = [
    [list('int'), [1, 2n, undefined], '[1, 2, None]'],
    [tuple('bytes'), [Buffer.from([0, 255]), Buffer.from('b')], "(b'\\x00\\xff', b'b')"],
    [tuple('int'), [], '()'],
    [list('text'), [], '[]'],
    [list(list('float')), [[1], [], [2.5]], '[[1.0], [], [2.5]]'],
    [
      tuple(worker),
      [{ id: 1, status: Buffer.from('idle'), rate: 2, apps: [{ name: 'café' }] }],
      "({'id': 1, 'status': b'idle', 'rate': 2.0, 'apps': ({'name': 'café'},), 'gone': None},)",
    ],
    [
      'dict',
      new Map([
        ['a\xff', Buffer.from('\0')],
        ['', Buffer.alloc(0)],
      ]),
      "{b'a\\xff': b'\\x00', b'': b''}",
    ],
    [
      'dict',
      new Map([
        ['b', Buffer.from('1')],
        ['spooler_task_name', Buffer.from('/spool/caf\u00e9')],
        ['body', Buffer.from([255])],
      ]),
      "{b'b': b'1', 'spooler_task_name': '/spool/café', 'body': b'\\xff'}",
    ],
    [
      'options',
      new Map<string, (string | true)[]>([
        ['a', ['1']],
        ['b', [true, '2']],
      ]),
      "{'a': b'1', 'b': [True, b'2']}",
    ],
    ['true', true, 'True'],
    [list('int'), undefined, 'None'],
  ]
  for (const [type, value, text] of results) {
    const guest = await Guest.boot([{ name: 'answer', returns: type, call: () => value }], [['attribute', type, value]])
    expect(guest.run('uwsgi.answer()')).toBe(text)
    expect(guest.run('uwsgi.attribute')).toBe(text)
  }
})

test('a last parameter may take all arguments from its place on', async () => {
  const params = [parameter('text', { name: 'name' }), parameter('bytes', { name: 'args', variadic: true })]
  let seen: ApiValue[] = []
  const remember = (...args: ApiValue[]) => {
    seen = args
    return undefined
  }
  const run = await bootWith(remember, params, 'none')
  expect(run("pass_on('n')")).toBe('None')
  expect(seen).toEqual(['n', []])
  expect(run("pass_on('n', b'\\0', 'x', *[b''] * 300)")).toBe('None')
  expect((seen[1] as Uint8Array[]).length).toBe(302)
  expect((seen[1] as Uint8Array[]).slice(0, 3).map((bytes) => [...bytes])).toEqual([[0], [120], []])
  expect(run("pass_on('n', b'', 5)")).toBe("TypeError: uwsgi.pass_on(): argument 'args[1]' must be text or bytes")
  expect(run("pass_on('n', b'', None)")).toBe("TypeError: uwsgi.pass_on(): argument 'args[1]' must be text or bytes")
  expect(run("pass_on('n', [])")).toBe("TypeError: uwsgi.pass_on(): argument 'args[0]' is of a type the API does not take")
  expect(run("pass_on('n', '\\ud800')")).toBe("ValueError: uwsgi.pass_on(): argument 'args[0]' holds a lone surrogate")
  expect(run("pass_on(name='n')")).toBe('None')
  expect(run("pass_on('n', args=b'')")).toBe("TypeError: uwsgi.pass_on(): got an unexpected keyword argument 'args'")
  expect(run('pass_on()')).toBe("TypeError: uwsgi.pass_on(): missing argument 'name'")
  expect(run("str(__import__('inspect').signature(pass_on))")).toBe("'(name, *args)'")
})

test('an argument that is required after an optional one makes both required in the signature', async () => {
  const params = [parameter('text', { name: 'node', default: null }), parameter('text', { name: 'name' })]
  const run = await bootWith((...args) => args.map(String).join('/'), params, 'text')
  expect(run("str(__import__('inspect').signature(pass_on))")).toBe("'(node, name)'")
  expect(run("pass_on(None, 'n')")).toBe("'undefined/n'")
  expect(run("pass_on(name='n')")).toBe("'undefined/n'")
})

test('defaults stand for what is not given, in the signature too', async () => {
  const params: ApiParameter[] = [
    parameter('text', { name: 'key' }),
    parameter('int', { name: 'expires', default: 7, unit: 's' }),
    parameter('text', { name: 'cache', default: null }),
    parameter('int64', { name: 'step', default: 1n }),
  ]
  const run = await bootWith((...args) => args.map(String).join('/'), params, 'text')
  expect(run("pass_on('k')")).toBe("'k/7/undefined/1'")
  expect(run("pass_on('k', cache='c')")).toBe("'k/7/c/1'")
  expect(run("pass_on(step=5, cache='c', key='k', expires=1)")).toBe("'k/1/c/5'")
  expect(run("pass_on('k', None, None)")).toBe("'k/7/undefined/1'")
  expect(run('pass_on(expires=1)')).toBe("TypeError: uwsgi.pass_on(): missing argument 'key'")
  expect(run("pass_on('k', **{'\\ud800': 1})")).toBe("TypeError: uwsgi.pass_on(): got an unexpected keyword argument '?'")
  expect(run("str(__import__('inspect').signature(pass_on))")).toBe("'(key, expires=7, cache=None, step=1)'")
})

test('other names of a function are the same function', async () => {
  const guest = await Guest.boot([{ name: 'spool', aliases: ['send_to_spooler', 'third'], call: () => undefined }])
  expect(guest.run('uwsgi.spool is uwsgi.send_to_spooler is uwsgi.third, uwsgi.third.__name__')).toBe("(True, 'spool')")
})

test('what goes wrong on the host is an exception of the class that uWSGI raises', async () => {
  const errors = [
    new ApiError('pass_on', 'API_REFUSED', 'no such lock'),
    new ApiError('pass_on', 'API_IO', 'unreachable'),
    new GuestError('lua', 'x.lua:1: boom', 'stack traceback: ...'),
    new ClientError('CLIENT_GONE', 'gone'),
    new RangeError('odd'),
    'no error at all',
  ]
  const run = await bootWith(
    (index) => {
      throw errors[index as number]
    },
    [parameter('int')],
    'none',
  )
  expect(errors.map((_, index) => run(`pass_on(${index})`))).toEqual([
    'ValueError: uwsgi.pass_on(): no such lock',
    'OSError: uwsgi.pass_on(): unreachable',
    'RuntimeError: x.lua:1: boom',
    'OSError: gone',
    'OSError: odd',
    'OSError: no error at all',
  ])
})
