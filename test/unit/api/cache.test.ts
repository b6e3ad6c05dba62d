// The group `cache` of the API: local caches, caches of other servers, and what each refuses.
import { describe, expect, it } from 'vitest'
import type { ApiValue } from '../../../host/api/kinds.ts'
import type { MasterCalls, MasterCallTable } from '../../../host/api/master-calls.ts'
import { PolywsgiError } from '../../../host/errors.ts'
import { Cache, type CacheShape } from '../../../host/state/cache.ts'
import { decodeCacheRequest, encodeCacheReply } from '../../../protocol/cache-packets.ts'
import { decodeHeader } from '../../../protocol/index.ts'
import { bytes, cacheShape, text } from '../state/fixtures/cache-shape.ts'
import { callsOf } from './calls.ts'

const setUp = (...shapes: Partial<CacheShape>[]) => {
  const clock = { ms: 1_000_000 }
  const lines: string[] = []
  const caches = new Map(
    (shapes.length === 0 ? [{ name: 'default' }, { name: 'other' }] : shapes).map((shape) => {
      const cache = Cache.create(cacheShape(shape), { thread: 1, now: () => clock.ms, log: (line) => lines.push(line) })
      return [cache.name, cache] as const
    }),
  )
  return { caches, clock, lines, ...callsOf({ caches }) }
}
const shown = (value: ApiValue): ApiValue => (value instanceof Uint8Array ? text(value) : value)

describe('a cache of this server', () => {
  it('keeps items: set once, updated, read, deleted', () => {
    const { call } = setUp()
    expect(call('cache_get', 'k')).toBeUndefined()
    expect(call('cache_exists', 'k')).toBeUndefined()
    expect(call('cache_set', 'k', 'one')).toBe(true)
    expect(call('cache_set', 'k', 'two')).toBeUndefined()
    expect([shown(call('cache_get', 'k')), call('cache_exists', 'k')]).toEqual(['one', true])
    expect(call('cache_update', 'k', 'three')).toBe(true)
    expect(shown(call('cache_get', bytes('k')))).toBe('three')
    expect([call('cache_del', 'k'), call('cache_del', 'k')]).toEqual([true, undefined])
  })

  it('keeps bytes as they are', () => {
    const { call } = setUp()
    const value = Uint8Array.of(0, 255, 128, 10)
    expect(call('cache_set', value, value)).toBe(true)
    expect(call('cache_get', value)).toEqual(value)
    expect(call('cache_keys')).toEqual([value])
  })

  it('is the first one, or the one that is named', () => {
    const { call, caches } = setUp()
    call('cache_set', 'k', 'first')
    call('cache_set', 'k', 'second', 0, 'other')
    expect([undefined, '', 'default', 'other'].map((name) => shown(call('cache_get', 'k', name)))).toEqual([
      'first',
      'first',
      'first',
      'second',
    ])
    expect(call('cache_clear', 'other')).toBe(true)
    expect([...caches.values()].map(({ items }) => items)).toEqual([1, 0])
    expect(call('cache_clear')).toBe(true)
    expect(call('cache_keys')).toEqual([])
  })

  it('forgets items in time', () => {
    const { call, clock } = setUp()
    call('cache_set', 'k', 'v', 10)
    call('cache_update', 'l', 'v', 10)
    call('cache_inc', 'n', 1, 10)
    clock.ms += 9999
    expect([call('cache_exists', 'k'), call('cache_exists', 'l'), call('cache_num', 'n')]).toEqual([true, true, 1n])
    clock.ms += 1
    expect([call('cache_exists', 'k'), call('cache_get', 'l'), call('cache_num', 'n')]).toEqual([undefined, undefined, 0n])
  })

  it('counts, with the defaults of uWSGI', () => {
    const { call } = setUp()
    expect([call('cache_inc', 'n'), call('cache_num', 'n')]).toEqual([true, 1n])
    expect([call('cache_inc', 'n', 10), call('cache_num', 'n')]).toEqual([true, 11n])
    expect([call('cache_dec', 'n'), call('cache_num', 'n')]).toEqual([true, 10n])
    expect([call('cache_mul', 'n'), call('cache_num', 'n')]).toEqual([true, 20n])
    expect([call('cache_div', 'n'), call('cache_num', 'n')]).toEqual([true, 10n])
    expect([call('cache_div', 'n', 0), call('cache_num', 'n')]).toEqual([true, 0n])
    expect([call('cache_inc', 'n', 2n ** 63n - 1n), call('cache_num', 'n')]).toEqual([true, 2n ** 63n - 1n])
    expect([call('cache_dec', 'm', 5, 0, 'other'), call('cache_num', 'm', 'other'), call('cache_num', 'm')]).toEqual([
      true,
      -5n,
      0n,
    ])
    call('cache_set', 's', 'text')
    expect([call('cache_inc', 's'), call('cache_num', 's'), shown(call('cache_get', 's'))]).toEqual([undefined, 0n, 'text'])
  })

  it('has nothing, and takes nothing, when it is not there', () => {
    for (const { call } of [setUp(), callsOf({})]) {
      const name = 'nowhere'
      expect(call('cache_get', 'k', name)).toBeUndefined()
      expect(call('cache_exists', 'k', name)).toBeUndefined()
      expect(call('cache_set', 'k', 'v', 0, name)).toBeUndefined()
      expect(call('cache_update', 'k', 'v', 0, name)).toBeUndefined()
      expect(call('cache_del', 'k', name)).toBeUndefined()
      expect(call('cache_inc', 'k', 1, 0, name)).toBeUndefined()
      expect(call('cache_num', 'k', name)).toBe(0n)
      expect(call('cache_clear', name)).toBeUndefined()
    }
    expect(setUp().fault('cache_keys', 'nowhere')).toBe('ValueError: uwsgi.cache_keys(): no local uWSGI cache available')
    expect(callsOf({}).fault('cache_keys')).toBe('ValueError: uwsgi.cache_keys(): no local uWSGI cache available')
    expect(callsOf({}).call('cache_get', 'k')).toBeUndefined()
  })

  it('takes nothing that does not fit', () => {
    const { call, caches, lines } = setUp({ name: 'a', maxItems: 1 })
    expect(call('cache_set', '', 'v')).toBeUndefined()
    expect(call('cache_set', 'k', '')).toBeUndefined()
    expect(call('cache_update', 'k'.repeat(101), 'v')).toBeUndefined()
    expect(call('cache_update', 'k', 'v'.repeat(33))).toBeUndefined()
    expect(call('cache_inc', '')).toBeUndefined()
    expect(caches.get('a')?.items).toBe(0)
    expect([call('cache_set', 'k', 'v'), call('cache_set', 'l', 'v'), call('cache_inc', 'n')]).toEqual([
      true,
      undefined,
      undefined,
    ])
    expect(lines).toEqual(['*** DANGER cache "a" is FULL !!! ***'])
  })

  it('refuses arguments that are none', () => {
    const { fault } = setUp()
    expect(fault('cache_get')).toBe("TypeError: uwsgi.cache_get(): missing argument 'key'")
    expect(fault('cache_get', 5)).toBe("TypeError: uwsgi.cache_get(): argument 'key' must be text or bytes")
    expect(fault('cache_set', 'k')).toBe("TypeError: uwsgi.cache_set(): missing argument 'value'")
    expect(fault('cache_set', 'k', 'v', 'soon')).toBe("TypeError: uwsgi.cache_set(): argument 'expires' must be a whole number")
    expect(fault('cache_set', 'k', 'v', -1)).toMatch(/^ValueError: uwsgi.cache_set\(\): argument 'expires' must be from 0 to /)
    expect(fault('cache_inc', 'k', 1, -1)).toMatch(/^ValueError: uwsgi.cache_inc\(\): argument 'expires' must be from 0 to /)
    expect(fault('cache_inc', 'k', 2n ** 63n)).toBe(
      "ValueError: uwsgi.cache_inc(): argument 'n' must fit 64 bits, 9223372036854775808 does not",
    )
    expect(fault('cache_get', 'k', 5)).toBe("TypeError: uwsgi.cache_get(): argument 'cache' must be text")
    expect(fault('cache_clear', 'a', 'b')).toMatch(/^TypeError: .*takes at most 1 argument, got 2/)
  })
})

describe('a cache of another server', () => {
  type Remote = MasterCallTable['remote']
  const setUpRemote = (answer: (args: Remote['args']) => Remote['result']) => {
    const asked: Remote['args'][] = []
    const lines: string[] = []
    const master = {
      call: (name: string, args: Remote['args']) => {
        expect(name).toBe('remote')
        asked.push(args)
        return answer(args)
      },
    } as unknown as MasterCalls
    const log = { text: (line: string) => lines.push(line), bytes: () => {} }
    return { asked, lines, ...callsOf({ master, log, socketTimeoutMs: 1234 }) }
  }
  /** A server with one cache `c`, as the packets of real uWSGI show it. */
  const server = () => {
    const cache = Cache.create(cacheShape({ name: 'c' }), { thread: 1 })
    const answer = ({ request }: Remote['args']): Remote['result'] => {
      const end = 4 + decodeHeader(request).size
      const { cmd, key, size, expires, cache: name } = decodeCacheRequest(request.subarray(4, end))
      const value = request.subarray(end, end + size)
      if (name !== '' && name !== 'c') return undefined
      const found = cmd === 'get' ? cache.get(key) : undefined
      if (cmd === 'clear') cache.clear()
      const isDone =
        cmd === 'clear' ||
        (cmd === 'get' && found !== undefined) ||
        (cmd === 'exists' && cache.exists(key)) ||
        (cmd === 'del' && cache.del(key)) ||
        (cmd === 'set' && cache.set(key, value, expires)) ||
        (cmd === 'update' && cache.update(key, value, expires))
      return isDone ? encodeCacheReply(found) : undefined
    }
    return { cache, ...setUpRemote(answer) }
  }

  it('gives the results of a local one', () => {
    const { call, cache } = server()
    const name = 'c@127.0.0.1:3031'
    expect([call('cache_get', 'k', name), call('cache_exists', 'k', name), call('cache_del', 'k', name)]).toEqual(
      Array(3).fill(undefined),
    )
    expect([call('cache_set', 'k', 'one', 0, name), call('cache_set', 'k', 'two', 0, name)]).toEqual([true, undefined])
    expect([shown(call('cache_get', 'k', name)), call('cache_exists', 'k', name)]).toEqual(['one', true])
    expect(call('cache_update', 'k', Uint8Array.of(0, 255), 60, name)).toBe(true)
    expect(call('cache_get', 'k', name)).toEqual(Uint8Array.of(0, 255))
    expect(cache.getItem(bytes('k'))?.expiresAtMs).toBeGreaterThan(0)
    cache.inc(bytes('n'), -7n)
    expect([call('cache_num', 'n', name), call('cache_num', 'k', name), call('cache_num', 'x', name)]).toEqual([-7n, 0n, 0n])
    expect([call('cache_del', 'k', name), call('cache_del', 'k', name)]).toEqual([true, undefined])
    expect([call('cache_clear', '@127.0.0.1:3031'), cache.items]).toEqual([true, 0])
    expect(call('cache_clear', 'unknown@127.0.0.1:3031')).toBeUndefined()
  })

  it('is asked at its address, by the name before the first @, with the socket timeout', () => {
    const { call, asked } = server()
    call('cache_get', 'k', 'c@127.0.0.1:3031')
    call('cache_get', 'k', '@/run/uwsgi.sock')
    call('cache_get', 'k', 'c@@abstract')
    const names = asked.map(({ request }) => decodeCacheRequest(request.subarray(4)).cache)
    expect(names).toEqual(['c', '', 'c'])
    expect(asked.map(({ address, reply, timeoutMs }) => [address, reply, timeoutMs])).toEqual([
      ['127.0.0.1:3031', 'packet', 1234],
      ['/run/uwsgi.sock', 'packet', 1234],
      ['@abstract', 'packet', 1234],
    ])
  })

  it('is not asked for what it would refuse', () => {
    const { call, asked, lines } = server()
    expect(call('cache_get', '', 'c@a:1')).toBeUndefined()
    expect(call('cache_set', 'k', '', 0, 'c@a:1')).toBeUndefined()
    expect(call('cache_get', 'k'.repeat(70_000), 'c@a:1')).toBeUndefined()
    expect(asked).toEqual([])
    expect(lines).toEqual([expect.stringContaining('cache get from c@a:1: the value of key has 70000 bytes')])
  })

  it('that is out of reach, or answers nonsense, has nothing', () => {
    const refusal = new PolywsgiError('API_IO', 'unable to connect to a:1: connection refused')
    const unreachable = setUpRemote(() => {
      throw refusal
    })
    expect(unreachable.call('cache_get', 'k', 'c@a:1')).toBeUndefined()
    expect(unreachable.call('cache_set', 'k', 'v', 0, 'c@a:1')).toBeUndefined()
    expect(unreachable.lines[0]).toBe(`cache get from c@a:1: ${refusal.message}`)
    const odd = setUpRemote(() => bytes('HTTP/1.0 400 Bad Request\r\n\r\n'))
    expect(odd.call('cache_exists', 'k', 'c@a:1')).toBeUndefined()
    expect(odd.call('cache_num', 'k', 'c@a:1')).toBe(0n)
    expect(odd.lines[0]).toContain('the modifiers of a cache reply are 111 and 17, not 72 and 80')
  })

  it('lets other errors pass', () => {
    const closed = setUpRemote(() => {
      throw new PolywsgiError('HOST_CLOSED', 'the host was closed')
    })
    expect(() => closed.call('cache_get', 'k', 'c@a:1')).toThrow('the host was closed')
  })

  it('has no arithmetic and no list of keys', () => {
    const { fault, asked } = server()
    for (const name of ['cache_inc', 'cache_dec', 'cache_mul', 'cache_div']) {
      expect(fault(name, 'k', 1, 0, 'c@a:1')).toBe(`ValueError: uwsgi.${name}(): the numbers of a remote cache cannot be changed`)
    }
    expect(fault('cache_keys', 'c@a:1')).toBe('ValueError: uwsgi.cache_keys(): no local uWSGI cache available')
    expect(asked).toEqual([])
  })
})
