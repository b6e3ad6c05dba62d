// Values with a structure: tables in, lists, records and tables out, any number of arguments. Bytes stay as they are in all.
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { PluginHarness } from '../../support/plugin-harness.ts'
import { evaluate } from './fixture.ts'
import { attribute, bound, param, pluginWith, received } from './test-api.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

let harness: PluginHarness
beforeAll(async () => {
  const job = {
    record: {
      id: 'int',
      name: 'bytes',
      load: 'float',
      absent: 'text',
      tags: { list: 'bytes', python: 'list' },
      limits: { record: { hard: 'int64' } },
    },
  } as const
  const jobValue = {
    id: 1,
    name: bytes('a\0\xff'),
    load: 2,
    absent: undefined,
    tags: [bytes('x'), bytes('')],
    limits: { hard: 2n ** 63n - 1n },
    undeclared: 'no',
  }
  harness = await PluginHarness.boot(
    pluginWith({
      functions: [
        bound('dict', [param('job', 'dict')], 'dict', (dict) => dict),
        bound('maybe', [param('job', 'dict', { default: null })], 'none', () => undefined),
        bound('join', [param('name', 'text'), param('parts', 'bytes', { variadic: true })], 'bytes', (_name, parts) =>
          Buffer.concat(parts as Uint8Array[]),
        ),
        bound('sum', [param('numbers', 'int', { variadic: true })], 'int', (numbers) =>
          (numbers as number[]).reduce((total, number) => total + number, 0),
        ),
        bound('list', [param('count', 'int')], { list: 'int', python: 'list' }, (count: number) =>
          count < 0 ? undefined : Array.from({ length: count }, (_, index) => index * 10),
        ),
        bound('values', [param('count', 'int')], { list: 'bytes', python: 'tuple', lua: 'values' }, (count: number) =>
          count < 0 ? undefined : Array.from({ length: count }, (_, index) => bytes(`v${index}`)),
        ),
        bound('gaps', [], { list: 'int', python: 'tuple', lua: 'values' }, () => [1, undefined, 3]),
        bound('job', [], job, () => jobValue),
        bound('jobs', [], { list: job, python: 'list' }, () => [jobValue, jobValue]),
        bound('success', [], 'true', () => true),
        bound('nothing', [], 'none', () => undefined),
        bound('original', [], 'int', () => 5, { aliases: ['other'], luaAliases: ['of_lua'] }),
      ],
      attributes: [
        attribute('pair', { list: 'int', python: 'tuple', lua: 'values' }, [3, 4]),
        attribute('first', job, jobValue),
        attribute('numbers', { list: 'float', python: 'tuple' }, [1, 0.5]),
      ],
    }),
  )
})

beforeEach(() => {
  received.length = 0
})

const run = (statements: string): Promise<string> => evaluate(harness, statements)

describe('a table of names', () => {
  it('arrives with its bytes, numbers as their text', async () => {
    expect(await run(String.raw`uwsgi.dict({ ['\0\xff'] = '\xfe\0', empty = '', n = 42, f = 1.5, whole = 2.0 })`)).toMatch(
      /^true/,
    )
    expect(new Map([...(received[0]![0] as Map<string, Uint8Array>)].sort())).toEqual(
      new Map([
        ['\0\xff', new Uint8Array([0xfe, 0])],
        ['empty', new Uint8Array(0)],
        ['f', new Uint8Array(Buffer.from('1.5'))],
        ['n', new Uint8Array(Buffer.from('42'))],
        ['whole', new Uint8Array(Buffer.from('2.0'))],
      ]),
    )
  })

  it('returns as it went', async () => {
    const statements = String.raw`
      local all = {} for i = 0, 255 do all[#all + 1] = string.char(i) end
      local sent = { [table.concat(all)] = table.concat(all):reverse(), long = ('\0\xff'):rep(100000), [''] = 'nameless' }
      for i = 1, 1000 do sent['k' .. i] = 'v' .. i end
      local got, count = uwsgi.dict(sent), 0
      for key, value in pairs(got) do count = count + 1 assert(sent[key] == value) end
      return count, next(uwsgi.dict({}))`
    expect(await run(statements)).toBe('true | 1003 | nil')
  })

  it('is read as it is, whatever its metatable says', async () => {
    const statements = `local t = setmetatable({ a = 'raw' }, { __pairs = error, __index = error, __len = error })
      local got = uwsgi.dict(t) return got.a`
    expect(await run(statements)).toBe('true | raw')
  })

  it.each([
    [`{ 'x' }`, 'keys must be strings, not 1'],
    [`{ [1.5] = 'x' }`, 'keys must be strings, not 1.5'],
    [`{ [true] = 'x' }`, 'keys must be strings, not one that is a boolean'],
    [`{ at = {} }`, "the value of 'at' must be a string or a number, not a table"],
    [`{ ['naïve'] = print }`, "the value of 'naïve' must be a string or a number, not a function"],
    [`{ body = false }`, "the value of 'body' must be a string or a number, not a boolean"],
  ])('%s is refused', async (table, what) => {
    expect(await run(`uwsgi.dict(${table})`)).toBe(`false | app.lua:2: uwsgi.dict(): argument 'job': ${what}`)
    expect(received).toEqual([])
  })

  it('is a table and nothing else, or not given', async () => {
    expect(await run(`uwsgi.dict('x')`)).toBe("false | app.lua:2: uwsgi.dict(): argument 'job' must be a table, not a string")
    expect(await run(`uwsgi.dict()`)).toBe("false | app.lua:2: uwsgi.dict(): missing argument 'job'")
    expect(await run(`uwsgi.maybe() uwsgi.maybe(nil) return 'given nothing'`)).toBe('true | given nothing')
  })
})

describe('any number of arguments', () => {
  it('arrive in order, numbers as their text where bytes are wanted', async () => {
    expect(await run(`return uwsgi.join('n'), uwsgi.join('n', 'a', 1, 2.5, 'b'), uwsgi.sum(), uwsgi.sum(1, '2', 3.0)`)).toBe(
      'true |  | a12.5b | 0 | 6',
    )
    expect(await run(`local t = {} for i = 1, 180 do t[i] = 1 end return uwsgi.sum(table.unpack(t))`)).toBe('true | 180')
  })

  it('are each checked, nil among them too', async () => {
    expect(await run(`uwsgi.join('n', 'a', {})`)).toBe(
      "false | app.lua:2: uwsgi.join(): argument 'parts[1]' must be a string, not a table",
    )
    expect(await run(`uwsgi.join('n', 'a', true)`)).toContain("argument 'parts[1]' must be text or bytes")
    expect(await run(`uwsgi.join('n', 'a', nil, 'b')`)).toContain("argument 'parts[1]' must be text or bytes")
    expect(await run(`uwsgi.join('n', 'a', nil)`)).toContain("argument 'parts[1]' must be text or bytes")
    expect(await run(`uwsgi.join(nil)`)).toContain("missing argument 'name'")
  })
})

describe('results', () => {
  it('lists are sequences', async () => {
    expect(await run(`local t = uwsgi.list(3) return #t, t[1], t[3], math.type(t[2]), #uwsgi.list(0), uwsgi.list(-1)`)).toBe(
      'true | 3 | 0 | 20 | integer | 0 | nil',
    )
  })

  it('lists that Lua takes apart are so many results', async () => {
    expect(await run(`return uwsgi.values(2)`)).toBe('true | v0 | v1')
    expect(await run(`return uwsgi.values(-1)`)).toBe('true | nil')
    expect(
      await run(`return select('#', uwsgi.values(0)), select('#', uwsgi.values(5000)), select(5000, uwsgi.values(5000))`),
    ).toBe('true | 0 | 5000 | v4999')
    expect(await run(`return uwsgi.gaps()`)).toBe('true | 1 | nil | 3')
  })

  it('more results than Lua has room for are an error', async () => {
    expect(await run(`uwsgi.values(2000000)`)).toBe("false | app.lua:2: no room for 2000000 values on Lua's stack")
    expect(await run(`return uwsgi.values(1)`)).toBe('true | v0')
  })

  const describeJob = String.raw`local function text(j)
      local names = {} for name in pairs(j) do names[#names + 1] = name end table.sort(names)
      return table.concat(names, ','), math.type(j.id), j.name == 'a\0\xff', math.type(j.load), #j.tags, j.tags[1], j.limits.hard
    end`

  it('records are tables of what is defined, also within lists', async () => {
    const expected = 'id,limits,load,name,tags | integer | true | float | 2 | x | 9223372036854775807'
    expect(await run(`${describeJob} return text(uwsgi.job())`)).toBe(`true | ${expected}`)
    expect(await run(`${describeJob} local t = uwsgi.jobs() return #t, text(t[2])`)).toBe(`true | 2 | ${expected}`)
  })

  it('attributes may be lists and records', async () => {
    expect(await run(`${describeJob} return text(uwsgi.first)`)).toContain('id,limits,load,name,tags')
    expect(await run(`return #uwsgi.pair, uwsgi.pair[1], uwsgi.pair[2], uwsgi.numbers[1], uwsgi.numbers[2]`)).toBe(
      'true | 2 | 3 | 4 | 1.0 | 0.5',
    )
  })

  it('success is true, nothing is nil', async () => {
    expect(await run(`return uwsgi.success(), uwsgi.nothing()`)).toBe('true | true | nil')
  })

  it('a function has the same value under each of its names', async () => {
    expect(await run(`return uwsgi.original == uwsgi.other, uwsgi.original == uwsgi.of_lua, uwsgi.other()`)).toBe(
      'true | true | true | 5',
    )
  })
})
