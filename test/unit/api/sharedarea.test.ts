// The group `sharedarea` of the API: results as real uWSGI gives them, and refusals that change nothing.
import { describe, expect, it } from 'vitest'
import type { CurrentRequest } from '../../../host/api/context.ts'
import type { ApiValue } from '../../../host/api/kinds.ts'
import { apiTable } from '../../../host/api/table/index.ts'
import { SharedArea } from '../../../host/state/sharedarea.ts'
import { testThread } from '../../support/api-context.ts'
import { callsOf } from './calls.ts'

const create = (...sizes: number[]) => sizes.map((size) => SharedArea.create({ size, threads: 8 }))
const single = () => callsOf({ sharedareas: create(4096) })
const bytes = (value: ApiValue): number[] => [...(value as Uint8Array)]

describe('sharedarea_read and sharedarea_write', () => {
  it('move bytes, to the end of the area when no length is given', () => {
    const { call } = single()
    expect(call('sharedarea_write', 0, 4094, new Uint8Array([255, 0]))).toBeUndefined()
    expect(call('sharedarea_write', 0, 0, 'text')).toBeUndefined()
    expect(bytes(call('sharedarea_read', 0, 4093))).toEqual([0, 255, 0])
    expect(bytes(call('sharedarea_read', 0, 4093, 0))).toEqual([0, 255, 0])
    expect(bytes(call('sharedarea_read', 0, 0, 4))).toEqual([...Buffer.from('text')])
    expect(bytes(call('sharedarea_read', 0, 0))).toHaveLength(4096)
    expect(call('sharedarea_write', 0, 0, '')).toBeUndefined()
  })

  it('know one area from the other', () => {
    const { call } = callsOf({ sharedareas: create(8, 16) })
    call('sharedarea_write', 1, 8, 'second')
    expect(bytes(call('sharedarea_read', 0, 0))).toEqual(new Array(8).fill(0))
    expect(bytes(call('sharedarea_read', 1, 0))).toHaveLength(16)
  })
})

describe('the numbers of a shared area', () => {
  it.each([
    ['8', 200, -56],
    ['8', -128, -128],
    ['16', 40_000, -25_536],
    ['16', -32_768, -32_768],
    ['32', 2 ** 31, -(2 ** 31)],
    ['32', -5, -5],
  ])('of %s bits: what is written as %s is read as %s', (bits, written, read) => {
    const { call } = single()
    expect(call(`sharedarea_write${bits}`, 0, 1, written)).toBeUndefined()
    expect(call(`sharedarea_read${bits}`, 0, 1)).toBe(read)
  })

  it('of 64 bits are never rounded, and go round at their ends', () => {
    const { call } = single()
    const most = 2n ** 63n - 1n
    expect(call('sharedarea_write64', 0, 8, most)).toBeUndefined()
    expect(call('sharedarea_read64', 0, 8)).toBe(most)
    expect(call('sharedarea_inc64', 0, 8)).toBeUndefined()
    expect(call('sharedarea_read64', 0, 8)).toBe(-most - 1n)
    expect(call('sharedarea_dec64', 0, 8, 3)).toBeUndefined()
    expect(call('sharedarea_read64', 0, 8)).toBe(most - 2n)
  })

  it('of 32 bits are stepped up and down', () => {
    const { call } = single()
    expect(call('sharedarea_inc32', 0, 3)).toBeUndefined()
    call('sharedarea_inc32', 0, 3, 10)
    call('sharedarea_dec32', 0, 3)
    expect(call('sharedarea_read32', 0, 3)).toBe(10)
    call('sharedarea_inc32', 0, 3, -11)
    expect(call('sharedarea_read32', 0, 3)).toBe(-1)
  })

  it('have the names of uWSGI', () => {
    const names = new Map<string, string>()
    for (const entry of apiTable) {
      if (entry.shape !== 'function' || entry.group !== 'sharedarea' || !('aliases' in entry)) continue
      for (const alias of entry.aliases) names.set(alias, entry.name)
    }
    expect(Object.fromEntries(names)).toEqual({
      sharedarea_readbyte: 'sharedarea_read8',
      sharedarea_writebyte: 'sharedarea_write8',
      sharedarea_readlong: 'sharedarea_read64',
      sharedarea_writelong: 'sharedarea_write64',
      sharedarea_inclong: 'sharedarea_inc64',
    })
  })
})

const calls: readonly (readonly [name: string, width: number, rest: readonly ApiValue[]])[] = [
  ['sharedarea_read', 2, [2]],
  ['sharedarea_write', 2, ['ab']],
  ['sharedarea_read8', 1, []],
  ['sharedarea_read16', 2, []],
  ['sharedarea_read32', 4, []],
  ['sharedarea_read64', 8, []],
  ['sharedarea_write8', 1, [1]],
  ['sharedarea_write16', 2, [1]],
  ['sharedarea_write32', 4, [1]],
  ['sharedarea_write64', 8, [1]],
  ['sharedarea_inc32', 4, []],
  ['sharedarea_inc64', 8, []],
  ['sharedarea_dec32', 4, []],
  ['sharedarea_dec64', 8, []],
]

describe('outside of an area', () => {
  it.each(calls)('%s is refused', (name, width, rest) => {
    const [area] = create(20)
    const { call, fault } = callsOf({ sharedareas: [area!] })
    const words = (position: number) =>
      `ValueError: uwsgi.${name}(): error calling uwsgi_${name}(): ${width} byte${width === 1 ? '' : 's'} from ${position} on are not in area 0, which has 20`
    for (const position of [20 - width + 1, 20, 2 ** 52]) expect(fault(name, 0, position, ...rest)).toBe(words(position))
    expect(area!.read(0, 20, 1)).toEqual(new Uint8Array(20))
    expect(() => call(name, 0, 20 - width, ...rest)).not.toThrow()
    expect(fault(name, 1, 0, ...rest)).toBe(
      `ValueError: uwsgi.${name}(): error calling uwsgi_${name}(): there is no area 1: there are 0 to 0`,
    )
    expect(fault(name, 0, -1, ...rest)).toMatch(/^ValueError: .*argument 'position' must be from 0 to/)
    expect(fault(name, -1, 0, ...rest)).toMatch(/^ValueError: .*argument 'id' must be from 0 to/)
    expect(fault(name, 'a', 0, ...rest)).toBe(`TypeError: uwsgi.${name}(): argument 'id' must be a whole number`)
    expect(fault(name)).toBe(`TypeError: uwsgi.${name}(): missing argument 'id'`)
  })

  it('a read to the end is refused when it begins there', () => {
    expect(callsOf({ sharedareas: create(20) }).fault('sharedarea_read', 0, 20)).toBe(
      'ValueError: uwsgi.sharedarea_read(): error calling uwsgi_sharedarea_read(): 1 byte from 20 on are not in area 0, which has 20',
    )
  })

  it.each(['sharedarea_rlock', 'sharedarea_wlock', 'sharedarea_unlock', 'sharedarea_read'])(
    '%s is refused without any area',
    (name) => {
      expect(callsOf({}).fault(name, 0, ...(name === 'sharedarea_read' ? [0] : []))).toBe(
        `ValueError: uwsgi.${name}(): error calling uwsgi_${name}(): there is no area 0: none is configured (--sharedarea)`,
      )
    },
  )

  it.each([
    ['sharedarea_write8', 256],
    ['sharedarea_write8', -129],
    ['sharedarea_write16', 65_536],
    ['sharedarea_write16', -32_769],
    ['sharedarea_write32', 2 ** 32],
    ['sharedarea_inc32', -(2 ** 31) - 1],
    ['sharedarea_write64', 2n ** 63n],
    ['sharedarea_dec64', -(2n ** 63n) - 1n],
  ])('%s refuses %s, which has no room in the number', (name, value) => {
    const { call, fault } = single()
    expect(fault(name, 0, 0, value)).toMatch(/^ValueError: .*argument 'value' must/)
    expect(fault(name, 0, 0, '1')).toBe(`TypeError: uwsgi.${name}(): argument 'value' must be a whole number`)
    expect(call('sharedarea_read64', 0, 0)).toBe(0n)
  })
})

describe('the locks of a shared area', () => {
  it('are taken and given back', () => {
    const sharedareas = create(64)
    const { call } = callsOf({ sharedareas })
    expect(call('sharedarea_unlock', 0)).toBeUndefined()
    expect(call('sharedarea_wlock', 0)).toBeUndefined()
    expect(sharedareas[0]!.lock.writer).toBe(1)
    call('sharedarea_write8', 0, 0, 7)
    expect(call('sharedarea_read8', 0, 0)).toBe(7)
    expect(call('sharedarea_unlock', 0)).toBeUndefined()
    const other = callsOf({ sharedareas, thread: testThread(2) })
    expect([call('sharedarea_rlock', 0), other.call('sharedarea_rlock', 0)]).toEqual([undefined, undefined])
    expect(other.call('sharedarea_read8', 0, 0)).toBe(7)
    for (const { call: unlock } of [{ call }, other]) unlock('sharedarea_unlock', 0)
    expect(other.call('sharedarea_wlock', 0)).toBeUndefined()
  })

  it('are not taken for a request that is over by the time they come free, and say so', async () => {
    const sharedareas = create(8)
    const request = { coreId: 1, isOver: false, suspended: () => {} }
    const other = callsOf({ sharedareas, thread: testThread(2) })
    other.call('sharedarea_wlock', 0)
    const { later } = callsOf({ sharedareas, request: request as unknown as CurrentRequest })
    const waiting = later('sharedarea_wlock', 0)
    request.isOver = true
    other.call('sharedarea_unlock', 0)
    await expect(waiting).rejects.toThrow('area 0 came free after the end of the request: it was not locked')
    expect(other.call('sharedarea_wlock', 0)).toBeUndefined()
  })

  it('refuse to wait for the caller itself', () => {
    const { call, fault } = single()
    call('sharedarea_wlock', 0)
    expect(fault('sharedarea_wlock', 0)).toBe(
      'ValueError: uwsgi.sharedarea_wlock(): this worker has area 0 locked already: waiting for it would never end',
    )
    expect(fault('sharedarea_rlock', 0)).toBe(
      'ValueError: uwsgi.sharedarea_rlock(): this worker has area 0 locked to write: waiting for it would never end',
    )
  })
})
