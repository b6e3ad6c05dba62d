// The uwsgi module in Forth: words made of whatever the API declares, values exact in both directions, errors with their place.
import { describe, expect, it } from 'vitest'
import { createCore } from '../../../examples/plugins/forth/core.ts'
import { bindApi } from '../../../host/api/bind.ts'
import { GuestFunction } from '../../../host/api/guest-function.ts'
import type { ApiValue } from '../../../host/api/kinds.ts'
import { testContext } from '../../support/api-context.ts'
import { attribute, bound, param, received } from '../lua/test-api.ts'
import { failureOf, run } from './fixture.ts'

const same = (value: ApiValue): ApiValue => value
const always = { always: true } as const
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'))

const api = {
  functions: [
    bound('int', [param('value', 'int')], 'int', same, always),
    bound('int64', [param('value', 'int64')], 'int64', same, always),
    bound('small', [param('value', 'int', { min: 0, max: 255 })], 'int', same, always),
    bound('maybe_int', [param('value', 'int')], 'int', (n) => (n === 0 ? undefined : n)),
    bound('bool', [param('value', 'bool')], 'bool', same, always),
    bound('float', [param('value', 'float', { default: 0.25 })], 'float', same, always),
    bound('text', [param('value', 'text')], 'text', same),
    bound('maybe_bytes', [param('value', 'bytes', { default: null })], 'bytes', same),
    bound('either', [param('value', 'int|bytes')], 'none', () => undefined),
    bound(
      'three',
      [param('a', 'bytes'), param('b', 'int', { default: 7 }), param('c', 'text', { default: null })],
      'none',
      () => undefined,
    ),
    bound(
      'many',
      [param('a', 'int'), param('rest', 'bytes', { variadic: true })],
      { list: 'bytes', python: 'list' },
      (_, rest) => rest,
      always,
    ),
    bound('names', [param('job', 'dict')], 'dict', same),
    bound('no_names', [], 'dict', () => undefined),
    bound('two', [], { list: 'int', python: 'tuple', count: 2 }, () => [3, 4], always),
    bound('success', [], 'true', () => true, always),
    bound('outcome', [param('value', 'bool')], 'true', (value) => value || undefined),
    bound('record', [], { record: { n: 'int64', b: 'bytes', m: 'dict' } }, () => ({
      n: 2n ** 60n,
      b: bytes('\0\xff'),
      m: new Map(),
    })),
    bound('too_big', [], 'int64', () => 2n ** 64n, always),
    bound('call_me', [param('handler', 'function')], 'none', () => undefined),
  ],
  attributes: [attribute('VERSION', 'bytes', bytes('1.0')), attribute('answer', 'int', 42)],
  hooks: [],
}

const stackOf = (program: string): bigint[] => [...run(program, { api }).stack]
const outputOf = (program: string): string => run(program, { api }).output
const lastReceived = (program: string): ApiValue[] => {
  run(program, { api })
  return received.at(-1) as ApiValue[]
}

describe('the words of the API', () => {
  it('are there for every function and attribute of the real one, also under other names', () => {
    const real = bindApi(testContext())
    const names = new Set(createCore(real, { name: 'forth' }).names())
    const wanted = real.functions.flatMap(({ entry }) => [entry.name, ...(entry.aliases ?? [])])
    wanted.push(...real.attributes.map(({ entry }) => entry.name))
    expect(wanted.length).toBeGreaterThan(100)
    for (const name of wanted) expect(names).toContain(`uwsgi.${name.toLowerCase().replaceAll('_', '-')}`)
    for (const { entry } of real.functions.filter(({ entry }) => entry.params.some((param) => param.default !== undefined)))
      expect([...names].some((name) => name.startsWith(`uwsgi.${entry.name.replaceAll('_', '-')}`))).toBe(true)
    expect(names).toContain('uwsgi.cache-set/4')
  })

  it('have short names, which give way to words of Forth', () => {
    expect(stackOf('5 int answer')).toEqual([5n, 42n])
    const clash = { functions: [bound('dup', [], 'int', () => 99, always)], attributes: [], hooks: [] }
    expect(run('5 dup uwsgi.dup', { api: clash }).stack).toEqual([5n, 5n, 99n])
  })

  it('pass numbers exactly', () => {
    for (const n of [0n, -1n, 2n ** 53n, 2n ** 63n - 1n, -(2n ** 63n)]) expect(stackOf(`${n} int64`)).toEqual([n])
    expect(stackOf('9007199254740991 int -9007199254740991 int')).toEqual([9007199254740991n, -9007199254740991n])
    expect(failureOf('9007199254740993 int', { api }).message).toContain('not 9007199254740993')
    expect(failureOf('too-big', { api }).message).toBe('result out of range: 18446744073709551616 does not fit a cell')
  })

  it('pass truth values, fractions and text', () => {
    expect(stackOf('true bool false bool 7 bool')).toEqual([-1n, 0n, -1n])
    expect(outputOf('float type s" 1.5" float/1 type')).toBe('0.251.5')
    expect(failureOf('s" 1.5x" float/1', { api }).message).toBe('invalid argument: no decimal number where one is wanted')
    expect(outputOf('s" \u00c3\u00a9" text type')).toBe('\u00c3\u00a9')
    expect(failureOf('create t 255 c, t 1 text', { api }).message).toBe(
      "the host refused: uwsgi.text(): argument 'value' must be text",
    )
  })

  it('pass bytes as they are, and tell what is not defined from what is empty', () => {
    const all = Array.from({ length: 256 }, (_, n) => `${n} c,`).join(' ')
    expect(outputOf(`create t ${all} t 256 maybe-bytes/1 type`)).toBe(String.fromCharCode(...Array(256).keys()))
    expect(stackOf('maybe-bytes 0 0 maybe-bytes/1')).toEqual([0n, 0n, 0n, 0n])
    const [address, length] = stackOf('s" " maybe-bytes/1')
    expect([address !== 0n, length]).toEqual([true, 0n])
  })

  it('take what must be given, or as many arguments as their names say', () => {
    expect(lastReceived('s" a" three')).toEqual([bytes('a'), 7, undefined])
    expect(lastReceived('s" a" 5 three/2')).toEqual([bytes('a'), 5, undefined])
    expect(lastReceived('s" a" 5 s" c" three/3')).toEqual([bytes('a'), 5, 'c'])
    expect(failureOf('three', { api }).fault).toBe('stackUnderflow')
  })

  it('take numbers where bytes may stand', () => {
    expect(lastReceived('s" a" either')).toEqual([bytes('a')])
    expect(lastReceived('5 as-int either')).toEqual([5])
  })

  it('take and leave lists with their count on top, unless there are always so many', () => {
    expect(outputOf('1 s" a" s" b" s" c" 3 many . type type type')).toBe('3 cba')
    expect(stackOf('1 0 many two')).toEqual([0n, 3n, 4n])
    expect(failureOf('1 s" a" 99 many', { api }).message).toBe('invalid argument: a count of 99')
    expect(failureOf('1 -1 many', { api }).message).toBe('invalid argument: a count of -1')
  })

  it('take and leave names with values as pairs', () => {
    expect(outputOf('s" k" s" v" s" n" s" w" 2 names s" n" pairs-get type . type type')).toBe('w2 wn')
    expect(stackOf('s" k" s" v" 1 names s" x" pairs-get 2swap 2drop 2swap 2drop nip nip')).toEqual([0n])
    expect(stackOf('no-names')).toEqual([-1n])
  })

  it('leave a flag for success, where it is not always success', () => {
    expect(stackOf('success true outcome false outcome')).toEqual([-1n, 0n])
    expect(stackOf('5 maybe-int 0 maybe-int')).toEqual([5n, -1n, 0n, 0n])
  })

  it('leave JSON for what has more structure', () => {
    expect(JSON.parse(outputOf('record type'))).toEqual({ n: '1152921504606846976', b: '\0\u00c3\u00bf', m: {} })
    expect(JSON.parse(Buffer.from(outputOf('record type'), 'latin1').toString()).b).toBe('\0\xff')
  })

  it('pass words as functions', () => {
    const [handler] = lastReceived(": w ; ' w call-me")
    expect(handler).toBeInstanceOf(GuestFunction)
    expect(failureOf('-5 call-me', { api }).message).toBe('invalid argument: -5 is no execution token')
  })

  it('tell what the host refuses, and where', () => {
    const error = failureOf(': t 256 small ;\nt', { api })
    expect(error.traceback.split('\n').slice(0, 2)).toEqual([
      "test.fs:1:9: the host refused: uwsgi.small(): argument 'value' must be from 0 to 255, not 256",
      '  in t (test.fs:1:9)',
    ])
    expect(stackOf(": t 256 small ; ' t catch")).toEqual([-256n])
  })
})
