// console: what of it reaches the server's log, and how values look there.
import { describe, expect, it } from 'vitest'
import { mountJs } from './js-apps.ts'

/** The log lines of these statements. */
const logOf = async (statements: string): Promise<string[]> => {
  const app = await mountJs(`export default async () => {\n${statements}\nreturn new Response('') }`)
  expect((await app.request()).status).toBe('200 OK')
  return app.logLines
}

describe('console', () => {
  it('writes a line per call, marked with its level', async () => {
    expect(await logOf('console.log("a"); console.info("b"); console.warn("c"); console.error("d"); console.debug("e")')).toEqual(
      ['a', 'b', '[warn] c', '[error] d', '[debug] e'],
    )
  })

  it('formats as printf does', async () => {
    expect(
      await logOf(`console.log('%s is %d years, %i%% of %f, %j %o %O %c!', 'Ann', '42', 3.9, '1.5', { a: 1 }, [1], { b: 'x' }, 'css', 'rest', 7)
        console.log('100%', 5)
        console.log('%s %s', 'only')
        console.log('%d %i', 5n, {})
        console.log('%x %', 1)`),
    ).toEqual(['Ann is 42 years, 3% of 1.5, {"a":1} [ 1 ] { b: \'x\' } ! rest 7', '100% 5', 'only %s', '5n NaN', '%x % 1'])
  })

  it('shows values as people read them', async () => {
    const shown: [expression: string, text: string][] = [
      ['undefined', 'undefined'],
      ['null, true, -0, 1.5, 10n', 'null true -0 1.5 10n'],
      ['"text", ["it\'s", \'say "hi"\', "new\\nline"]', "text [ \"it's\", 'say \"hi\"', 'new\\nline' ]"],
      ['Symbol("x")', 'Symbol(x)'],
      ['{}', '{}'],
      ['[]', '[]'],
      ['{ a: 1, "b-c": [1, "x"], [Symbol("s")]: null }', "{ a: 1, 'b-c': [ 1, 'x' ], [Symbol(s)]: null }"],
      [
        '{ get a() { throw 1 }, set b(v) {}, get c() { return 1 }, set c(v) {} }',
        '{ a: [Getter], b: [Setter], c: [Getter/Setter] }',
      ],
      ['new (class Point { x = 1 })()', 'Point { x: 1 }'],
      ['Object.create(null)', '[Object: null prototype] {}'],
      ['() => 1, function named() {}, class A {}', '[Function: (anonymous)] [Function: named] [class A]'],
      ['new Map([["k", { v: 1 }]]), new Set([1, "2"])', "Map(1) { 'k' => { v: 1 } } Set(2) { 1, '2' }"],
      ['new Date(0), new Date(NaN), /a+/gi', '1970-01-01T00:00:00.000Z Invalid Date /a+/gi'],
      ['new Uint8Array([1, 2]), new ArrayBuffer(3)', 'Uint8Array(2) [ 1, 2 ] ArrayBuffer { byteLength: 3 }'],
      ['Promise.resolve(5), new Promise(() => {})', 'Promise { 5 } Promise { <pending> }'],
      ['{ a: { b: { c: { d: 1 } } }, l: [[[[1]]]] }', '{ a: { b: { c: [Object] } }, l: [ [ [Array] ] ] }'],
      ['(() => { const a = { n: 1 }; a.self = a; return a })()', '{ n: 1, self: [Circular] }'],
      ['Array.from({ length: 102 }, () => 0)', expect.stringContaining('... 2 more items') as unknown as string],
      ['new Proxy({}, { ownKeys() { throw new Error("trap") } })', '[unprintable]'],
      [
        'new Headers({ a: "b" }), new URL("http://a/"), new URLSearchParams("x=1")',
        "Headers { 'a': 'b' } URL { 'http://a/' } URLSearchParams { 'x=1' }",
      ],
      [
        'new Response("", { status: 404 })',
        "Response { status: 404, headers: Headers { 'Content-Type': 'text/plain;charset=UTF-8' } }",
      ],
    ]
    for (const [expression, text] of shown) expect((await logOf(`console.log(${expression})`)).join('\n')).toEqual(text)
  })

  it('breaks long objects into lines', async () => {
    const log = await logOf('console.log({ name: "x".repeat(40), other: "y".repeat(40), list: [1, 2] })')
    expect(log).toEqual(['{', `  name: '${'x'.repeat(40)}',`, `  other: '${'y'.repeat(40)}',`, '  list: [ 1, 2 ]', '}'])
  })

  it('shows errors with the lines of the program', async () => {
    const log = await logOf(
      'function inner() { return new TypeError("bad", { cause: "a cause" }) }\nconsole.error("it failed:", inner())',
    )
    expect(log[0]).toBe('[error] it failed: TypeError: bad')
    expect(log[1]).toMatch(/^ {4}at inner \(.*app\.js:2:\d+\)$/)
    expect(log.at(-1)).toBe("  caused by: 'a cause'")
  })

  it('bounds what it prints', async () => {
    const [whole, ...nested] = await logOf('console.log("x".repeat(20000)); console.log(["x".repeat(20000)])')
    expect(whole).toHaveLength(20_000)
    expect(nested).toEqual(['[', `  '${'x'.repeat(10_000)}... 10000 more characters'`, ']'])
  })

  it('groups, counts, asserts, times and traces', async () => {
    const log =
      await logOf(`console.group('outer'); console.log('in\\nside'); console.group(); console.log('deep'); console.groupEnd(); console.groupEnd()
      console.log('out'); console.count(); console.count(); console.count('x'); console.countReset(); console.count()
      console.assert(true, 'no'); console.assert(false, 'yes %d', 1); console.assert(false)
      console.time('t'); console.timeEnd('t'); console.timeEnd('t'); console.dir({ a: 'b' })
      console.trace('here')`)
    expect(log.slice(0, 12)).toEqual([
      'outer',
      '  in',
      '  side',
      '    deep',
      'out',
      'default: 1',
      'default: 2',
      'x: 1',
      'default: 1',
      '[error] Assertion failed: yes 1',
      '[error] Assertion failed',
      expect.stringMatching(/^t: [\d.]+ms$/),
    ])
    expect(log.slice(12, 14)).toEqual(["{ a: 'b' }", '[trace] here'])
    expect(log.slice(14)).toEqual([expect.stringMatching(/^ {4}at default \(.*app\.js:6:20\)$/)])
  })

  it('keeps text that is not Latin-1', async () => {
    expect(await logOf('console.log("\\u20ac \\u{1f600}")')).toEqual(['\u20ac \u{1f600}'])
  })
})
