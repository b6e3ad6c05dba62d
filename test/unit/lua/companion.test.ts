// The request table is built in wasm, comparing each request with the one before. Whatever comes in which order, it must be
// what protocol/vars.ts reads from the same bytes.
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { WholeBody } from '../../../host/request/body.ts'
import { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { iterateVars } from '../../../protocol/vars.ts'
import type { PluginHarness } from '../../support/plugin-harness.ts'
import { bootLua, mountSource, writeFiles } from './fixture.ts'

let harness: PluginHarness
beforeAll(async () => {
  harness = await bootLua()
  const source = `return function(env)
    env.input, env.error = nil, nil
    local names = {}
    for name in pairs(env) do names[#names + 1] = name end
    table.sort(names)
    for index, name in ipairs(names) do names[index] = string.pack('<s4s4', name, env[name]) end
    return 200, {}, table.concat(names)
  end`
  await harness.mount(join(writeFiles({ 'app.lua': source }), 'app.lua'), '/env')
})

/** What the guest sees of a vars block. */
const seenByGuest = (vars: Uint8Array): Map<string, string> => {
  const chunks: Uint8Array[] = []
  const sink = {
    clientGone: false,
    send: (_head: unknown, chunk: Uint8Array | undefined) => void (chunk && chunks.push(Uint8Array.from(chunk))),
    sendAsync: async () => {},
    cut: () => {},
  }
  const request = new WsgiRequest({
    coreId: 0,
    modifier1: 6,
    modifier2: 0,
    vars,
    body: new WholeBody(new Uint8Array(0)),
    sink,
    app: harness.apps[0],
  })
  expect(harness.plugin.request?.(request)).toBe(0)
  const packed = Buffer.concat(chunks)
  const seen = new Map<string, string>()
  let at = 0
  const next = (): string => {
    const length = packed.readUInt32LE(at)
    at += 4 + length
    return packed.subarray(at - length, at).toString('latin1')
  }
  while (at < packed.length) seen.set(next(), next())
  return seen
}

const encode = (pairs: readonly (readonly [string, string])[]): Uint8Array =>
  Buffer.concat(
    pairs.flat().map((text) => {
      const bytes = Buffer.from(`..${text}`, 'latin1')
      bytes.writeUInt16LE(bytes.length - 2)
      return bytes
    }),
  )

const expectSame = (vars: Uint8Array): void => {
  const expected = new Map(iterateVars(vars))
  // These two are the binding's own.
  expected.delete('input')
  expected.delete('error')
  expect(seenByGuest(vars)).toEqual(expected)
}

const word = fc.oneof(
  fc.constantFrom('', 'A', 'B', 'HTTP_HOST', 'HTTP_HOSU', 'localhost:8080', 'localhost:8081', 'input', '\0', '\xff\0\xfe'),
  fc.string({ maxLength: 50 }).map((text) => Buffer.from(text).toString('latin1')),
  fc.integer({ min: 0, max: 90 }).map((length) => 'x'.repeat(length)),
)
const block = fc.array(fc.tuple(word, word), { maxLength: 12 })

describe('the request table', () => {
  it('holds what the vars block holds, the last of repeated names', () => {
    expectSame(encode([]))
    expectSame(encode([['A', '1']]))
    expectSame(
      encode([
        ['A', '1'],
        ['B', '2'],
        ['A', '3'],
      ]),
    )
  })

  it('is right for any sequence of requests', () => {
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 6 }), (blocks) => {
        for (const pairs of blocks) expectSame(encode(pairs))
      }),
      { numRuns: 300 },
    )
  })

  it('is right when requests differ in one byte, one length or one place', () => {
    fc.assert(
      fc.property(block, fc.nat(), fc.nat({ max: 255 }), (pairs, where, byte) => {
        const vars = encode(pairs)
        expectSame(vars)
        expectSame(vars)
        const changed = Uint8Array.from(vars)
        if (changed.length > 0) changed[where % changed.length] = byte
        expectSame(changed)
        expectSame(encode(pairs.slice(1)))
        expectSame(encode([['NEW', 'x'], ...pairs]))
        expectSame(vars.subarray(0, where % (vars.length + 1)))
        expectSame(vars)
      }),
      { numRuns: 300 },
    )
  })

  it('never reads behind a block, whatever its bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }), (blocks) => {
        for (const vars of blocks) expectSame(vars)
      }),
      { numRuns: 300 },
    )
  })

  it('takes the largest block there can be: one variable, or sixteen thousand', () => {
    expectSame(encode([['A', 'v'.repeat(65_530)]]))
    expectSame(encode(Array.from({ length: 8000 }, (_, index) => [index.toString(36).padStart(4, '0'), ''])))
    expectSame(encode([['A', 'small again']]))
    // What the host appends when it splits the path may double it.
    expectSame(encode([...Array.from({ length: 3 }, (_, index): [string, string] => [`A${index}`, 'v'.repeat(43_000)])]))
    expect(() => seenByGuest(new Uint8Array(131_071))).toThrow()
  })

  it('is right after memory ran out in the middle of one', async () => {
    const small = await bootLua({ memoryLimit: 3 * 1024 * 1024 })
    const source = `local kept
      return function(env)
        if env.QUERY_STRING ~= 'fill' then return 200, {}, env.HTTP_A .. env.HTTP_B end
        kept = {}
        pcall(function() for i = 1, math.huge do kept[i] = ('k'):rep(30) .. i end end)
        return 200, {}, function() kept = nil error('memory was full') end
      end`
    const mountpoint = await mountSource(small, source)
    for (let round = 0; round < 10; round += 1) {
      const vars = (size: number) => ({ HTTP_A: `a${round}`.repeat(size), HTTP_B: `b${round}`.repeat(size) })
      await small.request({ mountpoint, query: 'fill', vars: vars(1) })
      const large = await small.request({ mountpoint, vars: vars(8000) })
      expect(large.text).toBe(`a${round}`.repeat(8000) + `b${round}`.repeat(8000))
    }
  })
})
