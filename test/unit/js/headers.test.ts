// Headers: normalisation, combination and order, as fetch has them.
import { describe, expect, it } from 'vitest'
import { guestValue, runJs } from './js-apps.ts'

describe('Headers', () => {
  it('are made from objects, pairs, iterables and other Headers', async () => {
    expect(
      await runJs(`return [
        [...new Headers({ B: '1', a: 2 })],
        [...new Headers([['B', '1'], ['a', '2']])],
        [...new Headers(new Map([['B', '1'], ['a', '2']]))],
        [...new Headers(new Headers({ B: '1', a: '2' }))],
        [...new Headers()],
      ]`),
    ).toEqual([
      [['a', '2'], ['b', '1']],
      [['a', '2'], ['b', '1']],
      [['a', '2'], ['b', '1']],
      [['a', '2'], ['b', '1']],
      [],
    ]) // biome-ignore format: one line per way
  })

  it('compare names without case, and combine values', async () => {
    expect(
      await runJs(`const h = new Headers({ 'X-A': '1' })
        h.append('x-a', '2'); h.append('X-B', '')
        const before = [h.get('X-a'), h.has('x-A'), h.get('x-b'), h.get('x-c')]
        h.set('x-A', '3'); h.delete('X-b')
        return [...before, ...h]`),
    ).toEqual(['1, 2', true, '', null, ['x-a', '3']])
  })

  it('iterate sorted, with every Set-Cookie by itself', async () => {
    expect(
      await runJs(`const h = new Headers([['set-cookie', 'b=2'], ['z', '1'], ['Set-Cookie', 'a=1, x'], ['A', '1'], ['a', '2']])
        const seen = []
        h.forEach((value, name, self) => seen.push(name + '=' + value + (self === h)))
        return [[...h.keys()], [...h.values()], h.getSetCookie(), seen, h.get('set-cookie')]`),
    ).toEqual([
      ['a', 'set-cookie', 'set-cookie', 'z'],
      ['1, 2', 'b=2', 'a=1, x', '1'],
      ['b=2', 'a=1, x'],
      ['a=1, 2true', 'set-cookie=b=2true', 'set-cookie=a=1, xtrue', 'z=1true'],
      'b=2, a=1, x',
    ])
  })

  it('trim values of white space and take any Latin-1', async () => {
    expect(await guestValue('[...new Headers({ a: "\\t x \\r\\n", b: "\\u00ff", c: 5, d: null })]')).toEqual([
      ['a', 'x'],
      ['b', '\xff'],
      ['c', '5'],
      ['d', 'null'],
    ])
  })

  it('refuse what is no name or value', async () => {
    expect(
      await runJs(`const errors = []
        for (const args of [['', 'x'], ['a b', 'x'], ['a:', 'x'], ['\\u00e4', 'x'], ['a', 'x\\ny'], ['a', '\\u0100'], ['a', '\\0']]) {
          try { new Headers().append(...args) } catch (error) { errors.push(error.message) }
        }
        for (const init of [null, 5, [['a']], ['ab'], [['a', 'b', 'c']]]) {
          try { new Headers(init) } catch (error) { errors.push(error.message) }
        }
        return errors`),
    ).toEqual([
      'invalid header name: ""',
      'invalid header name: "a b"',
      'invalid header name: "a:"',
      'invalid header name: "\u00e4"',
      'invalid header value: "x\\ny"',
      'invalid header value: "\u0100"',
      'invalid header value: "\\u0000"',
      'headers are given as an object or a list of pairs',
      'headers are given as an object or a list of pairs',
      'each header pair must be a [name, value] list',
      'each header pair must be a [name, value] list',
      'each header pair must be a [name, value] list',
    ])
  })

  it('go on working with a thousand different names', async () => {
    expect(
      await runJs(`const h = new Headers()
        for (let i = 0; i < 1000; i++) h.set('X-' + i, String(i))
        return [h.get('x-0'), h.get('x-999'), [...h].length]`),
    ).toEqual(['0', '999', 1000])
  })
})
