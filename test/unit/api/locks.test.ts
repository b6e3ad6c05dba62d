// The group `locks` of the API: results and refusals.
import { describe, expect, it } from 'vitest'
import type { CurrentRequest, ThreadIdentity } from '../../../host/api/context.ts'
import { Locks } from '../../../host/state/locks.ts'
import { testThread } from '../../support/api-context.ts'
import { callsOf } from './calls.ts'

const spooler: ThreadIdentity = { kind: 'spooler', number: 7, seat: 7, workerId: 0, muleId: 0, spoolerId: 1, isLoading: false }
const mule: ThreadIdentity = { kind: 'mule', number: 6, seat: 6, workerId: 0, muleId: 2, spoolerId: 0, isLoading: false }

describe('lock, unlock and is_locked', () => {
  it('take a lock, tell of it, and give it back', () => {
    const locks = Locks.create({ locks: 2 })
    const { call } = callsOf({ locks })
    expect(call('is_locked')).toBe(false)
    expect(call('lock')).toBeUndefined()
    expect([call('is_locked'), call('is_locked', 0), call('is_locked', 2)]).toEqual([true, true, false])
    expect(locks.owner(0)).toBe(1)
    expect(call('unlock')).toBeUndefined()
    expect(call('is_locked')).toBe(false)
    expect(call('unlock', 2)).toBeUndefined()
    expect(call('lock', 2, 0)).toBeUndefined()
    expect(locks.owner(2)).toBe(1)
  })

  it.each(['lock', 'unlock', 'is_locked'])('%s refuses numbers that are none of a lock', (name) => {
    const { fault } = callsOf({ locks: Locks.create({ locks: 4 }) })
    expect(fault(name, 99)).toBe(`ValueError: uwsgi.${name}(): Invalid lock number 99 (0 to 4)`)
    expect(fault(name, -1)).toBe(`ValueError: uwsgi.${name}(): Invalid lock number -1 (0 to 4)`)
    expect(fault(name, 2n ** 70n)).toMatch(/^ValueError: .*argument 'num' must be from/)
    expect(fault(name, 'a')).toBe(`TypeError: uwsgi.${name}(): argument 'num' must be a whole number`)
    expect(fault(name, 1.5)).toBe(`TypeError: uwsgi.${name}(): argument 'num' must be a whole number`)
    expect(fault(name, 0, 1, 2)).toMatch(/^TypeError: .*takes at most/)
  })

  it.each(['lock', 'unlock', 'is_locked'])('%s is not for spoolers', (name) => {
    const { fault } = callsOf({ locks: Locks.create({ locks: 0 }), thread: spooler })
    expect(fault(name)).toBe(`ValueError: uwsgi.${name}(): The spooler cannot lock/unlock resources`)
  })

  it('refuse to wait for the caller itself', () => {
    const { call, fault } = callsOf({ locks: Locks.create({ locks: 0 }) })
    call('lock')
    expect(fault('lock')).toBe('ValueError: uwsgi.lock(): this worker holds lock 0 already: waiting for it would never end')
    expect(call('is_locked')).toBe(true)
  })

  it('are not taken for a request that is over by the time they come free, and say so', async () => {
    const locks = Locks.create({ locks: 0 })
    const request = { coreId: 1, isOver: false, suspended: () => {} }
    locks.lock(0, 1, 0, 2)
    const { later } = callsOf({ locks, request: request as unknown as CurrentRequest })
    const waiting = later('lock')
    request.isOver = true
    locks.unlock(0, 1)
    await expect(waiting).rejects.toThrow('lock 0 came free after the end of the request: it was not taken')
    expect(locks.isLocked(0)).toBe(false)
  })

  it('name who holds what the caller wanted', () => {
    const locks = Locks.create({ locks: 1 })
    const { fault } = callsOf({ locks })
    callsOf({ locks, thread: testThread(3) }).call('lock')
    callsOf({ locks, thread: mule }).call('lock', 1)
    expect(fault('unlock')).toBe("ValueError: uwsgi.unlock(): lock 0 is not this worker's to unlock: worker 3 holds it")
    expect(fault('unlock', 1)).toBe("ValueError: uwsgi.unlock(): lock 1 is not this worker's to unlock: mule 2 holds it")
    expect(fault('lock', 0, 0)).toBe('ValueError: uwsgi.lock(): lock 0 did not become free in 0 seconds: worker 3 holds it')
    expect([locks.owner(0), locks.owner(1)]).toEqual([3, 6])
  })

  it.each([-1, Number.NaN])('wait for no time like %s', (timeout) => {
    const locks = Locks.create({ locks: 0 })
    const { fault } = callsOf({ locks })
    expect(fault('lock', 0, timeout)).toBe(
      `ValueError: uwsgi.lock(): argument 'timeout' must be at least 0 seconds, not ${timeout}`,
    )
    expect(fault('lock', 0, 'soon')).toBe("TypeError: uwsgi.lock(): argument 'timeout' must be a number")
    expect(locks.isLocked(0)).toBe(false)
  })
})
