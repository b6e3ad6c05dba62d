// Values of the API in both directions: every type, every byte and character, the limits of integers.
import { describe, expect, it } from 'vitest'
import { nameToText, textToName } from '../../../bindings/js/names.ts'
import type { ApiParameter, ApiResult, ApiValue } from '../../../host/api/kinds.ts'
import { runWithApi } from './made-api.ts'

type Type = ApiParameter['type']

/** A function that keeps what it was given. */
const taking = (types: readonly Type[], last: Partial<ApiParameter> = {}) => {
  const seen: ApiValue[][] = []
  const params = types.map((type, index) => ({
    name: `p${index}`,
    type,
    default: null,
    ...(index === types.length - 1 ? last : {}),
  }))
  return { seen, take: { params, call: (...args: ApiValue[]): ApiValue => void seen.push(args) } }
}

/** What guests see of calls that fail. */
const failing = `const failure = (call) => { try { call() } catch (error) { return [error.name, error.code ?? null, error.message] } return 'none' }\n`

const give = (returns: ApiResult, value: ApiValue) => ({ returns, call: () => value })
const bytes = (...list: number[]): Uint8Array => Uint8Array.from(list)

describe('a value for the host', () => {
  it('may be text or bytes with any content', async () => {
    const { seen, take } = taking(['bytes', 'text'])
    await runWithApi(
      { functions: { take } },
      `uwsgi.take('a\\0\\u00ff\\u20ac', 'a\\0\\u00ff\\ud800\\u{1f600}')
      uwsgi.take(new Uint8Array([9, 0, 255, 0xc3]).subarray(1), 'x'.repeat(10000) + 'y'.repeat(10000))
      uwsgi.take('\\ud800|', new Uint8Array([0xe2, 0x82, 0xac]))
      uwsgi.take(null, undefined)`,
    )
    expect(seen).toEqual([
      [new TextEncoder().encode('a\0\xff\u20ac'), 'a\0\xff\ud800\u{1f600}'],
      [bytes(0, 255, 0xc3), 'x'.repeat(10_000) + 'y'.repeat(10_000)],
      [bytes(0xef, 0xbf, 0xbd, 0x7c), '\u20ac'],
      [undefined, undefined],
    ])
  })

  it('may be any number of its type', async () => {
    const { seen, take } = taking(['int', 'float', 'bool'])
    await runWithApi(
      { functions: { take } },
      `uwsgi.take(-1, 1.5, true); uwsgi.take(2 ** 53 - 1, -0, false); uwsgi.take(-(2 ** 53) + 1, NaN); uwsgi.take(808 / 2, 7n); uwsgi.take(undefined, 3)`,
    )
    expect(seen).toEqual([
      [-1, 1.5, true],
      [2 ** 53 - 1, -0, false],
      [-(2 ** 53) + 1, Number.NaN, undefined],
      [404, 7, undefined],
      [undefined, 3, undefined],
    ])
  })

  it('of 64 bits is never rounded', async () => {
    const { seen, take } = taking(['int64'])
    const failures = await runWithApi(
      { functions: { take } },
      `${failing}uwsgi.take(2 ** 53 - 1); uwsgi.take(-5); uwsgi.take(2n ** 63n - 1n); uwsgi.take(-(2n ** 63n)); uwsgi.take(0n)
      return [2 ** 53, 1.5, 2n ** 63n, '1', true].map((wrong) => failure(() => uwsgi.take(wrong)))`,
    )
    expect(seen.flat()).toEqual([2n ** 53n - 1n, -5n, 2n ** 63n - 1n, -(2n ** 63n), 0n])
    const wrong = ['UwsgiError', 'API_ARGUMENT', "uwsgi.take(): argument 'p0' must be a whole number"]
    const large = ['UwsgiError', 'API_ARGUMENT', "uwsgi.take(): argument 'p0' must fit 64 bits, 9223372036854775808 does not"]
    expect(failures).toEqual([wrong, wrong, large, wrong, wrong])
  })

  it('is refused by name when it is of no type that is wanted', async () => {
    const { seen, take } = taking(['bytes', 'int', 'dict', 'function'])
    const failures = await runWithApi(
      { functions: { take } },
      `${failing}return [[{}], [Symbol('s')], [() => {}], [[]], ['', '1'], ['', 1, []], ['', 1, 'a'], ['', 1, 5], ['', 1, new Map()], ['', 1, () => {}], ['', 1, {}, {}], ['', 1, {}, 1], [1, 2, {}, () => {}, 5]]
        .map((args) => failure(() => uwsgi.take(...args))[2].slice('uwsgi.take(): '.length))`,
    )
    const dict = "argument 'p2' must be names and values"
    const fn = "argument 'p3' must be a function"
    expect(failures).toEqual([
      ...Array(4).fill("argument 'p0' must be text or bytes"),
      "argument 'p1' must be a whole number",
      ...Array(5).fill(dict),
      fn,
      fn,
      'takes at most 4 arguments, got 5',
    ])
    expect(seen).toEqual([])
  })

  it('may be one of any number of arguments', async () => {
    const { seen, take } = taking(['text', 'bytes'], { variadic: true })
    const failures = await runWithApi(
      { functions: { take } },
      `${failing}uwsgi.take('a'); uwsgi.take('b', 'c', new Uint8Array(1)); uwsgi.take('d', ...Array(300).fill('e'))
      return failure(() => uwsgi.take('a', 'b', {}))`,
    )
    expect(seen.slice(0, 2)).toEqual([
      ['a', []],
      ['b', [bytes(0x63), bytes(0)]],
    ])
    expect(seen[2]?.[1]).toHaveLength(300)
    expect(failures).toEqual(['UwsgiError', 'API_ARGUMENT', "uwsgi.take(): argument 'p1[1]' must be text or bytes"])
  })

  it('may be an object of names and values', async () => {
    const { seen, take } = taking(['dict', 'int'])
    await runWithApi(
      { functions: { take } },
      `uwsgi.take({ body: 'gr\\u00fcn\\0', at: 5, big: 2n ** 70n, half: 0.5, raw: new Uint8Array([0, 255]), ['gr\\u00fcn\\u20ac']: '', ['\\udcff']: 1, ['\\ud800']: 2, ['a\\0b']: 3 }, 7)
      uwsgi.take(Object.assign(Object.create(null), { a: 1, __proto__: 'kept' }), 8)
      uwsgi.take({}, 9)
      uwsgi.take(undefined, 10)
      uwsgi.take({ get late() { return 'got' } })`,
    )
    const text = (value: string): Uint8Array => new TextEncoder().encode(value)
    expect(seen[0]).toEqual([
      new Map([
        ['body', text('gr\u00fcn\0')],
        ['at', text('5')],
        ['big', text(String(2n ** 70n))],
        ['half', text('0.5')],
        ['raw', bytes(0, 255)],
        [Buffer.from('gr\u00fcn\u20ac').toString('latin1'), bytes()],
        ['\xff', text('1')],
        ['\xef\xbf\xbd', text('2')],
        ['a\0b', text('3')],
      ]),
      7,
    ])
    expect(seen.slice(1)).toEqual([
      [new Map([['a', text('1')]]), 8],
      [new Map(), 9],
      [undefined, 10],
      [new Map([['late', text('got')]]), undefined],
    ])
  })

  it('in an object is refused by its name', async () => {
    const { seen, take } = taking(['int', 'dict'])
    const of = (name: string): string[] => [
      'UwsgiError',
      'API_ARGUMENT',
      `uwsgi.take(): argument 'p1': the value of "${name}" must be text, bytes or a number`,
    ]
    expect(
      await runWithApi(
        { functions: { take } },
        `${failing}return [{ good: 1, bad: true }, { nothing: undefined }, { deep: {} }, { list: [] }, { fn() {} }, { no: null }].map((wrong) => failure(() => uwsgi.take(1, wrong)))`,
      ),
    ).toEqual(['bad', 'nothing', 'deep', 'list', 'fn', 'no'].map(of))
    expect(seen).toEqual([])
  })
})

describe('a value for the guest', () => {
  it('is a number where that is exact, else a BigInt', async () => {
    const functions = {
      small: give('int', -7),
      large: give('int', 2 ** 40),
      exact: give('int64', 2n ** 53n - 1n),
      least: give('int64', -(2n ** 53n) + 1n),
      huge: give('int64', 2n ** 53n),
      top: give('int64', 2n ** 63n - 1n),
      bottom: give('int64', -(2n ** 63n)),
      zero: give('int64', 0n),
      minus: give('float', -0),
      half: give('float', 0.1),
    }
    expect(
      await runWithApi(
        { functions },
        `return [...['small', 'large', 'exact', 'least', 'huge', 'top', 'bottom', 'zero', 'half'].map((name) => [typeof uwsgi[name](), String(uwsgi[name]())]), Object.is(uwsgi.minus(), -0)]`,
      ),
    ).toEqual([
      ['number', '-7'],
      ['number', '1099511627776'],
      ['number', '9007199254740991'],
      ['number', '-9007199254740991'],
      ['bigint', '9007199254740992'],
      ['bigint', '9223372036854775807'],
      ['bigint', '-9223372036854775808'],
      ['number', '0'],
      ['number', '0.1'],
      true,
    ])
  })

  it('is text or bytes with any content', async () => {
    const functions = {
      text: give('text', 'a\0\u20ac\ud800'),
      long_text: give('text', 'z'.repeat(300_000)),
      bytes: give('bytes', bytes(0, 255, 0xc3, 0xa4)),
      no_bytes: give('bytes', bytes()),
      nothing: give('bytes', undefined),
      yes: give('true', true),
      none: give('none', undefined),
    }
    expect(
      await runWithApi(
        { functions },
        `const b = uwsgi.bytes()
        return [uwsgi.text() === 'a\\0\\u20ac\\ud800', uwsgi.longText().length, Array.from(b), b instanceof Uint8Array, b.toString(), \`\${b.slice(2)}\`,
          uwsgi.noBytes().length, [uwsgi.nothing(), uwsgi.none()].every((value) => value === undefined), uwsgi.yes()]`,
      ),
    ).toEqual([true, 300_000, [0, 255, 0xc3, 0xa4], true, '\0\ufffd\u00e4', '\u00e4', 0, true, true])
  })

  it('may be a list, also of bytes, of nothing, of lists', async () => {
    const list = (item: ApiResult): ApiResult => ({ list: item, python: 'tuple' })
    const functions = {
      names: give(list('bytes'), [bytes(0, 255), bytes()]),
      numbers: give(list('int'), [1, undefined, 2 ** 40, 2n ** 64n]),
      texts: give(list('text'), ['\u20ac', 'a\0']),
      empty: give(list('bytes'), []),
      nested: give(list(list('bytes')), [[bytes(1)], [], [bytes(2), undefined]]),
      nothing: give(list('int'), undefined),
      many: give(list('bytes'), Array(70_000).fill(bytes(7, 8))),
    }
    expect(
      await runWithApi(
        { functions },
        `const names = uwsgi.names(), numbers = uwsgi.numbers(), nested = uwsgi.nested(), many = uwsgi.many()
        return [Array.isArray(names), names.map((name) => Array.from(name)), names[0].constructor.name, numbers.slice(0, 3), String(numbers[3]), uwsgi.texts(),
          uwsgi.empty(), nested.map((inner) => inner.map((item) => item && [...item])), uwsgi.nothing() === undefined, many.length, [...many[69999]]]`,
      ),
    ).toEqual([
      true,
      [[0, 255], []],
      'UwsgiBytes',
      [1, null, 2 ** 40],
      '18446744073709551616',
      ['\u20ac', 'a\0'],
      [],
      [[[1]], [], [[2], null]],
      true,
      70_000,
      [7, 8],
    ])
  })

  it('may be a record, with records and lists in it', async () => {
    const app: ApiResult = { record: { id: 'int', mountpoint: 'bytes' } }
    const worker: ApiResult = {
      record: {
        id: 'int',
        is_busy: 'bool',
        avg_rt: 'float',
        status: 'bytes',
        signum: 'int',
        apps: { list: app, python: 'tuple' },
        vars: 'dict',
      },
    }
    const value = {
      id: 1,
      is_busy: false,
      avg_rt: 1.5,
      status: bytes(0x69),
      signum: undefined,
      apps: [{ id: 0, mountpoint: bytes(0x2f) }],
      vars: new Map([['k', bytes(0)]]),
    }
    expect(
      await runWithApi(
        {
          functions: {
            workers: give({ list: worker, python: 'tuple' }, [value, { ...value, apps: [] }]),
            one: give(worker, undefined),
          },
        },
        `const [first, second] = uwsgi.workers()
        return [Object.keys(first), Object.getPrototypeOf(first) === Object.prototype, first.id, first.is_busy, first.avg_rt, first.status.toString(), first.signum === undefined,
          first.apps[0].id, first.apps[0].mountpoint.toString(), [...first.vars.k], second.apps, uwsgi.one() === undefined]`,
      ),
    ).toEqual([
      ['id', 'is_busy', 'avg_rt', 'status', 'signum', 'apps', 'vars'],
      true,
      1,
      false,
      1.5,
      'i',
      true,
      0,
      '/',
      [0],
      [],
      true,
    ])
  })

  it('may be an object of bytes, with any names, inheriting none', async () => {
    const names = ['plain', '__proto__', 'toString', 'gr\xc3\xbcn', '\xff\xc3\xa9\xfe', 'a\0b']
    const { seen, take } = taking(['dict'])
    const items = new Map(names.map((name, index) => [name, bytes(index)]))
    expect(
      await runWithApi(
        { functions: { dict: give('dict', items), none: give('dict', undefined), empty: give('dict', new Map()), take } },
        `const dict = uwsgi.dict()
        uwsgi.take(dict)
        return [Object.keys(dict).map((name) => [name, dict[name][0]]), Object.getPrototypeOf(dict), dict.plain.constructor.name, uwsgi.none() === undefined, uwsgi.empty()]`,
      ),
    ).toEqual([names.map((name, index) => [nameToText(name), index]), null, 'UwsgiBytes', true, {}])
    expect(seen).toEqual([[items]])
  })

  it('may be an attribute of any type', async () => {
    const attributes = {
      some_bytes: { type: 'bytes' as const, value: bytes(104, 105) },
      some_int: { type: 'int' as const, value: 5 },
      missing: { type: 'text' as const, value: undefined },
      sockets: { type: { list: 'int', python: 'list' } as const, value: [3, 4] },
      info: { type: { record: { major: 'int', tag: 'bytes' } } as const, value: { major: 2, tag: bytes(0x64) } },
      magic_table: { type: 'dict' as const, value: new Map([['v', bytes(0x2f)]]) },
      options: {
        type: 'options' as const,
        value: new Map([
          ['a', [true, 'b']],
          ['c', ['d']],
        ]) as ApiValue,
      },
    }
    expect(
      await runWithApi(
        { attributes },
        `return [String(uwsgi.someBytes), uwsgi.some_int, uwsgi.missing === undefined, 'missing' in uwsgi, uwsgi.sockets, uwsgi.info.major, String(uwsgi.info.tag), String(uwsgi.magicTable.v), uwsgi.options]`,
      ),
    ).toEqual(['hi', 5, true, true, [3, 4], 2, 'd', '/', { a: [true, 'b'], c: 'd' }])
  })
})

describe('a name of a dict', () => {
  it('survives the way to a guest and back, whatever its bytes are', () => {
    const all = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))
    const samples = [
      ...all,
      all.join(''),
      Buffer.from('\ufeffgr\u00fcn \u20ac \u{1f600}').toString('latin1'),
      '\xed\xa0\x80',
      '\xed\xb3\xbf',
      '\xf0\x9f\x98',
      '\xc0\x80',
      '\xf4\x90\x80\x80',
      '\xe2\x82',
    ]
    for (const name of samples) expect(textToName(nameToText(name))).toBe(name)
  })

  it('is the text of its bytes where they are UTF-8', () => {
    expect(nameToText(Buffer.from('\ufeffgr\u00fcn \u20ac \u{1f600}').toString('latin1'))).toBe(
      '\ufeffgr\u00fcn \u20ac \u{1f600}',
    )
    expect(nameToText('a\xff\xc3\xbc\xe2\x82')).toBe('a\udcff\u00fc\udce2\udc82')
  })
})
