// The caches as other servers reach them.
import { beforeEach, describe, expect, it } from 'vitest'
import { createCachePlugin } from '../../../host/plugins/cache.ts'
import { Cache, type CacheShape } from '../../../host/state/cache.ts'
import { encodeVars } from '../../../protocol/index.ts'
import { cacheShape } from '../state/fixtures/cache-shape.ts'
import { PacketPeer } from './packet-peer.ts'

const shape = (name: string): CacheShape => cacheShape({ name, blocksize: 64, hashsize: 16, keysize: 64, ignoreFull: true })
const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1')

describe('a request to a cache from another server', () => {
  let main: Cache
  let other: Cache
  let peer: PacketPeer

  beforeEach(async () => {
    main = Cache.create(shape('main'), { thread: 1, now: () => 1_000_000 })
    other = Cache.create(shape('söther'), { thread: 1 })
    peer = await PacketPeer.of(createCachePlugin(), { caches: new Map([main, other].map((cache) => [cache.name, cache])) })
  })

  const ask = async (vars: Record<string, string>, body = '', modifier2 = 17): Promise<string> => {
    const answer = await peer.send(modifier2, encodeVars(Object.entries(vars)), bytes(body))
    expect([answer.head, answer.isEnded]).toEqual([undefined, true])
    return answer.bytes.toString('latin1')
  }
  const ok = '\x6f\x0c\0\x11\x06\0status\x02\0ok'

  it('finds an item, bytes as they are', async () => {
    main.set(bytes('k\0'), bytes('v\0\xff'))
    expect(await ask({ cmd: 'get', key: 'k\0' })).toBe('\x6f\x15\0\x11\x06\0status\x02\0ok\x04\0size\x01\x003v\0\xff')
  })

  it('tells when an item expires', async () => {
    main.set(bytes('k'), bytes('v'), 60)
    expect(await ask({ cmd: 'get', key: 'k' })).toContain('\x07\0expires\x04\x001060v')
  })

  it('stores the body that follows, once with set and always with update', async () => {
    expect(await ask({ cmd: 'set', key: 'k', size: '3' }, 'one')).toBe(ok)
    expect(await ask({ cmd: 'set', key: 'k', size: '3' }, 'two')).toBe('')
    expect(Buffer.from(main.get(bytes('k')) ?? []).toString()).toBe('one')
    expect(await ask({ cmd: 'update', key: 'k', size: '3', expires: '60' }, 'two')).toBe(ok)
    const item = main.getItem(bytes('k'))
    expect([Buffer.from(item?.value ?? []).toString(), item?.expiresAtMs]).toEqual(['two', 1_060_000])
  })

  it('asks, deletes and clears', async () => {
    main.set(bytes('a'), bytes('1'))
    main.set(bytes('b'), bytes('2'))
    expect([
      await ask({ cmd: 'exists', key: 'a' }),
      await ask({ cmd: 'del', key: 'a' }),
      await ask({ cmd: 'exists', key: 'a' }),
    ]).toEqual([...[ok, ok], ''])
    expect(await ask({ cmd: 'clear' })).toBe(ok)
    expect(main.items).toBe(0)
  })

  it('goes to the cache that is named', async () => {
    expect(await ask({ cmd: 'set', key: 'k', size: '1', cache: Buffer.from('söther').toString('latin1') }, 'v')).toBe(ok)
    expect([main.exists(bytes('k')), other.exists(bytes('k'))]).toEqual([false, true])
    expect(await ask({ cmd: 'get', key: 'k', cache: 'unknown' })).toBe('')
  })

  it.each<[string, Record<string, string>, string?]>([
    ['a key that is not there', { cmd: 'get', key: 'x' }],
    ['no key', { cmd: 'get' }],
    ['no command', { key: 'x' }],
    ['a command nobody knows', { cmd: 'inc', key: 'x' }],
    ['no value', { cmd: 'set', key: 'k', size: '0' }],
    ['less of a value than announced', { cmd: 'set', key: 'k', size: '5' }, 'abc'],
    ['a value larger than the cache takes', { cmd: 'update', key: 'k', size: '65' }, 'x'.repeat(65)],
    ['a size that is none', { cmd: 'set', key: 'k', size: '-1' }, 'x'],
    ['an expiry that is none', { cmd: 'set', key: 'k', size: '1', expires: 'soon' }, 'x'],
  ])('is closed without a byte for %s', async (_, vars, body) => {
    expect(await ask(vars, body)).toBe('')
    expect(main.items).toBe(0)
  })

  it('is closed without a byte in any other form, or with no form at all', async () => {
    main.set(bytes('k'), bytes('v'))
    for (const modifier2 of [0, 1, 5, 6, 255]) expect(await ask({ cmd: 'get', key: 'k' }, '', modifier2)).toBe('')
    const cut = encodeVars([
      ['cmd', 'get'],
      ['key', 'k'],
    ]).subarray(0, 12)
    expect((await peer.send(17, cut)).bytes.length).toBe(0)
    expect(peer.logLines.at(-1)).toContain('invalid cache request, skipped: invalid vars block')
  })

  it('is closed without a byte where there is no cache', async () => {
    const empty = await PacketPeer.of(createCachePlugin(), { caches: new Map() })
    expect((await empty.send(17, encodeVars([['cmd', 'clear']]))).bytes.length).toBe(0)
  })
})
