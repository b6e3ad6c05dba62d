// The `uwsgi` table: installed from whatever the API declares, values exact in both directions, errors that name their place.
import { beforeAll, describe, expect, it } from 'vitest'
import type { BoundApi } from '../../../host/api/bind.ts'
import type { ApiValue } from '../../../host/api/kinds.ts'
import type { Plugin } from '../../../host/plugin/plugin.ts'
import { PluginHarness } from '../../support/plugin-harness.ts'
import { bootLua, evaluate } from './fixture.ts'
import { attribute, bound, param, pluginWith, received } from './test-api.ts'

const { RuntimeError: WebAssemblyRuntimeError } = (globalThis as unknown as { WebAssembly: { RuntimeError: ErrorConstructor } })
  .WebAssembly

const same = (value: ApiValue): ApiValue => value

const api: BoundApi = {
  functions: [
    bound('int', [param('value', 'int')], 'int', same),
    bound('int64', [param('value', 'int64')], 'int64', same),
    bound('small', [param('value', 'int', { min: 0, max: 255 })], 'int', same),
    bound('float', [param('value', 'float')], 'float', same),
    bound('bool', [param('value', 'bool')], 'bool', same),
    bound('text', [param('value', 'text')], 'text', same),
    bound('bytes', [param('value', 'bytes')], 'bytes', same),
    bound('optional', [param('a', 'int', { default: null }), param('b', 'int', { default: 7 })], 'none', () => undefined),
    bound('too_big', [], 'int', () => 2n ** 64n),
    bound('large', [param('size', 'int')], 'bytes', (size) => new Uint8Array(Number(size)).fill(0xfe)),
    bound('fail', [], 'none', () => {
      throw new Error('the host says no')
    }),
    bound('trap', [], 'none', () => {
      throw new WebAssemblyRuntimeError('unreachable')
    }),
  ],
  attributes: [attribute('answer', 'int', 42), attribute('nothing', 'text', undefined)],
  hooks: [],
}

const withTestApi = (): Plugin => pluginWith(api)

const luaTypeOf = (value: ApiValue): string => {
  if (typeof value === 'object') return value instanceof Uint8Array ? 'string' : 'table'
  return typeof value === 'bigint' ? 'number' : typeof value
}

let harness: PluginHarness
beforeAll(async () => {
  harness = await PluginHarness.boot(withTestApi())
})

const run = (statements: string): Promise<string> => evaluate(harness, statements)

describe('the uwsgi table', () => {
  it('has every function and attribute of the API, under its own name and those of the real Lua plugin', async () => {
    const real = await bootLua()
    const { functions, attributes } = real.context.api
    const types = new Map<string, string>()
    for (const { entry } of functions) {
      for (const name of [entry.name, ...(entry.aliases ?? []), ...(entry.luaAliases ?? [])]) types.set(name, 'function')
    }
    for (const { entry, value } of attributes) if (value !== undefined) types.set(entry.name, luaTypeOf(value))
    expect(types.size).toBeGreaterThan(5)
    for (const [name, type] of types) expect(await evaluate(real, `return type(uwsgi.${name})`), name).toBe(`true | ${type}`)
    expect(await evaluate(real, `local n = 0 for _ in pairs(uwsgi) do n = n + 1 end return n`)).toBe(`true | ${types.size}`)
  })

  it('answers what the host knows', async () => {
    const opt = new Map<string, (string | true)[]>([
      ['workers', ['2']],
      ['master', [true]],
      ['mount', ['/a=a.lua', '/b=b.lua', true]],
      ['naïve', ['café']],
    ])
    const real = await bootLua({ workerId: 3, opt })
    expect(
      await evaluate(
        real,
        `return uwsgi.version, uwsgi.hostname, uwsgi.worker_id(), uwsgi.mywid(), math.type(uwsgi.worker_id())`,
      ),
    ).toBe('true | 0.0.0-test | test-host | 3 | 3 | integer')
    expect(await evaluate(real, `return uwsgi.masterpid() == uwsgi.pid(), uwsgi.pid()`)).toBe(`true | true | ${process.pid}`)
    expect(
      await evaluate(
        real,
        `local o = uwsgi.opt return o.workers, o.master, #o.mount, o.mount[1], o.mount[2], o.mount[3], o['naïve'], o.absent`,
      ),
    ).toBe('true | 2 | true | 3 | /a=a.lua | /b=b.lua | true | café | nil')
    real.logLines.length = 0
    expect(await evaluate(real, `return uwsgi.log('hello'), uwsgi.log(42)`)).toBe('true | true | true')
    expect(real.logLines).toEqual(['hello', '42'])
  })

  it('leaves out what is not defined', async () => {
    expect(await run('return uwsgi.answer, uwsgi.nothing')).toBe('true | 42 | nil')
  })
})

describe('values', () => {
  it.each([
    ['0', '0'],
    ['-1', '-1'],
    ['9007199254740993', '9007199254740993'],
    ['math.maxinteger', '9223372036854775807'],
    ['math.mininteger', '-9223372036854775808'],
    ['5.0', '5'],
    ["'10'", '10'],
    ["'0x7fffffffffffffff'", '9223372036854775807'],
    ['-9007199254740993', '-9007199254740993'],
    ["'-9223372036854775808'", '-9223372036854775808'],
    ['2.0^62', '4611686018427387904'],
    ['-2.0^63', '-9223372036854775808'],
  ])('the integer %s of 64 bits arrives and returns exactly', async (expression, expected) => {
    expect(await run(`local v = uwsgi.int64(${expression}) return v, math.type(v)`)).toBe(`true | ${expected} | integer`)
  })

  it.each(['2.0^63', '1/0', '0/0', '1.5', "'9223372036854775808'", "'1.5'"])(
    '%s is no integer of 64 bits',
    async (expression) => {
      expect(await run(`uwsgi.int64(${expression})`)).toBe(
        "false | app.lua:2: uwsgi.int64(): argument 'value' must be a whole number",
      )
    },
  )

  it('an int is one within 53 bits, of either of the two kinds of number, or the text of one', async () => {
    expect(
      await run(`return uwsgi.int(1.0), uwsgi.int('7'), uwsgi.int(' 0x10 '), uwsgi.int(-0.0), math.type(uwsgi.int(1.0))`),
    ).toBe('true | 1 | 7 | 16 | 0 | integer')
    expect(await run(`return uwsgi.int(2^53 - 1), uwsgi.int(-(2^53 - 1))`)).toBe('true | 9007199254740991 | -9007199254740991')
    expect(await run(`uwsgi.int(1 << 53)`)).toContain("argument 'value' must be from -9007199254740991 to 9007199254740991")
    expect(await run(`uwsgi.int(math.mininteger)`)).toContain('not -9223372036854775808')
  })

  it('one out of the range that is declared is refused with that range', async () => {
    expect(await run(`return uwsgi.small(0), uwsgi.small(255)`)).toBe('true | 0 | 255')
    expect(await run(`uwsgi.small(256)`)).toBe(
      "false | app.lua:2: uwsgi.small(): argument 'value' must be from 0 to 255, not 256",
    )
    expect(await run(`uwsgi.small(math.maxinteger)`)).toContain('must be from 0 to 255, not 9223372036854775807')
  })

  it('an integer beyond 64 bits is an error, not another number', async () => {
    expect(await run('uwsgi.too_big()')).toBe('false | app.lua:2: 18446744073709551616 does not fit into a Lua integer')
  })

  it('floats stay floats', async () => {
    expect(
      await run('return uwsgi.float(0.5), uwsgi.float(3), math.type(uwsgi.float(3)), uwsgi.float(1/0), uwsgi.float("1e3")'),
    ).toBe('true | 0.5 | 3.0 | float | inf | 1000.0')
  })

  it('booleans are booleans only', async () => {
    expect(await run('return uwsgi.bool(true), uwsgi.bool(false)')).toBe('true | true | false')
    expect(await run('uwsgi.bool(1)')).toContain("argument 'value' must be a boolean")
  })

  it('bytes keep NUL and all others, of any length', async () => {
    const all = String.raw`'\0\xff' .. string.char(table.unpack((function() local t = {} for i = 0, 255 do t[#t + 1] = i end return t end)()))`
    expect(await run(`local s = ${all} return uwsgi.bytes(s) == s, #uwsgi.bytes(s)`)).toBe('true | true | 258')
    expect(await run(`local s = ('\\0x\\xfe'):rep(500000) return uwsgi.bytes(s) == s`)).toBe('true | true')
    expect(await run(`return #uwsgi.large(3000000), uwsgi.large(70000):byte(70000), #uwsgi.large(0)`)).toBe(
      'true | 3000000 | 254 | 0',
    )
  })

  it('what the host was given stays as it was when Lua goes on', async () => {
    await run(`uwsgi.bytes('keep me') collectgarbage() for i = 1, 1000 do uwsgi.bytes(('overwrite'):rep(i % 10)) end`)
    const kept = received.find(([value]) => value instanceof Uint8Array && value[0] === 0x6b)
    expect(Buffer.from(kept?.[0] as Uint8Array).toString()).toBe('keep me')
  })

  it('numbers are taken where strings are, as Lua does', async () => {
    expect(await run(`return uwsgi.bytes(42), uwsgi.text(1.5)`)).toBe('true | 42 | 1.5')
  })

  it('text must be UTF-8', async () => {
    expect(await run(`return uwsgi.text('caf\\u{e9} \\u{1f600}')`)).toBe('true | café 😀')
    expect(await run(`uwsgi.text('\\xff')`)).toBe("false | app.lua:2: uwsgi.text(): argument 'value' must be text")
  })

  it('nil at the end is as good as nothing; defaults are filled in', async () => {
    received.length = 0
    await run('uwsgi.optional() uwsgi.optional(nil, nil) uwsgi.optional(1) uwsgi.optional(nil, 2) uwsgi.optional(1, 2, nil)')
    expect(received).toEqual([
      [undefined, 7],
      [undefined, 7],
      [1, 7],
      [undefined, 2],
      [1, 2],
    ])
  })
})

describe('errors', () => {
  it.each([
    ['uwsgi.int()', "uwsgi.int(): missing argument 'value'"],
    ['uwsgi.int({})', "uwsgi.int(): argument 'value' must be a whole number, not a table"],
    ['uwsgi.int(print)', "uwsgi.int(): argument 'value' must be a whole number, not a function"],
    ['uwsgi.int(1.5)', "uwsgi.int(): argument 'value' must be a whole number"],
    ["uwsgi.int('x')", "uwsgi.int(): argument 'value' must be a whole number"],
    ['uwsgi.int(true)', "uwsgi.int(): argument 'value' must be a whole number"],
    ['uwsgi.bytes({})', "uwsgi.bytes(): argument 'value' must be a string, not a table"],
    ['uwsgi.bytes(coroutine.create(print))', "uwsgi.bytes(): argument 'value' must be a string, not a thread"],
    ['uwsgi.int(1, 2)', 'uwsgi.int(): takes at most 1 argument, got 2'],
    ['uwsgi.int(1, {})', 'uwsgi.int(): takes at most 1 argument, got 2'],
    ['uwsgi.fail()', 'the host says no'],
  ])('%s raises with the position of the call', async (statement, message) => {
    expect(await run(statement)).toBe(`false | app.lua:2: ${message}`)
  })

  it('can be raised any number of times', async () => {
    expect(await run('for i = 1, 5000 do assert(not pcall(uwsgi.fail)) end return pcall(uwsgi.int, 3)')).toBe('true | true | 3')
  })

  it('inside a coroutine end that coroutine only', async () => {
    expect(await run(`local co = coroutine.create(uwsgi.fail) return coroutine.resume(co)`)).toBe(
      'true | false | the host says no',
    )
  })
})

describe('a failure of the interpreter itself', () => {
  it('is fatal: the request throws, and nothing enters that state again', async () => {
    const doomed = await PluginHarness.boot(withTestApi())
    await expect(evaluate(doomed, 'pcall(uwsgi.trap)')).rejects.toMatchObject({
      fatal: true,
      language: 'lua',
      message: 'the Lua interpreter failed: unreachable',
    })
    await expect(evaluate(doomed, 'return 1')).rejects.toMatchObject({ fatal: true })
    expect(await run('return 1')).toBe('true | 1')
  })

  it('is described for the log by exceptionLog, which leaves other errors alone', async () => {
    const doomed = await PluginHarness.boot(withTestApi())
    const error = await evaluate(doomed, 'uwsgi.trap()').catch((thrown: unknown) => thrown)
    expect(doomed.plugin.exceptionLog?.(error)).toBe(error)
    expect(doomed.plugin.exceptionLog?.(new Error('not mine'))).toBeUndefined()
  })
})
