// The groups `process` and `identity` of the API.

import { readFileSync, writeFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import type { ApiContext, ThreadIdentity } from '../../../host/api/context.ts'
import type { MasterCalls } from '../../../host/api/master-calls.ts'
import { StateMap } from '../../../host/state/state-map.ts'
import { WorkerState } from '../../../host/state/worker-slots.ts'
import { testThread } from '../../support/api-context.ts'
import { callsOf } from './calls.ts'

const newState = () => StateMap.create({ workers: 2, requestSlots: 4, requestAreaSize: 64, responseRingSize: 4096 })

describe('workers', () => {
  it('tells of each worker what it is doing and has done', () => {
    const state = newState()
    const { workers } = state
    workers.setState(2, WorkerState.ready)
    workers.countRequest(2)
    workers.spawned(2, 1_795_806_101)
    workers.countRequest(2)
    workers.requestEnded(2, 500, 1234)
    workers.countException(2)
    workers.countRespawn(2)
    state.seats.setRunning(2, 1)
    state.apps.publish(2, 1, 7, 3)
    const apps = [
      { id: 0, modifier1: 0, mountpoint: '', startupMs: 10 },
      { id: 1, modifier1: 6, mountpoint: '/lua', startupMs: 1600 },
    ]
    const { call } = callsOf({ state, masterPid: 4711, apps })
    const [first, second] = call('workers') as unknown as [Record<string, unknown>, Record<string, unknown>]
    const [rss, vsz] = call('mem') as [number, number]
    expect(first).toMatchObject({ id: 1, pid: 0, requests: 0, delta_requests: 0, last_spawn: 0 })
    const { rss: workerRss, vsz: workerVsz, status, apps: shown, ...counts } = second
    const noBytes = new Uint8Array(0)
    expect(shown).toEqual([
      { id: 0, modifier1: 0, mountpoint: noBytes, startup_time: 0, requests: 0, exceptions: 0, chdir: noBytes },
      {
        id: 1,
        modifier1: 6,
        mountpoint: new TextEncoder().encode('/lua'),
        startup_time: 2,
        requests: 7,
        exceptions: 3,
        chdir: noBytes,
      },
    ])
    expect(counts).toEqual({
      id: 2,
      pid: 4711,
      requests: 2,
      delta_requests: 1,
      signals: 0,
      exceptions: 1,
      running_time: 500,
      last_spawn: 1_795_806_101,
      respawn_count: 1,
      tx: 1234,
      avg_rt: 250,
    })
    expect(Buffer.from(status as Uint8Array).toString()).toBe('busy')
    expect(rss).toBeGreaterThan(1_000_000)
    expect(Math.abs((workerRss as number) - rss)).toBeLessThan(rss)
    expect(vsz).toBeGreaterThanOrEqual(rss)
    expect(workerVsz).toBeGreaterThan(1_000_000)
    expect(call('total_requests')).toBe(2)
  })

  it('shows the signal whose handler runs', () => {
    const signals = { handling: () => 17, handled: () => 5 } as unknown as ApiContext['signals']
    const [first] = callsOf({ state: newState(), signals }).call('workers') as unknown as [
      { status: Uint8Array; signals: number },
    ]
    expect([Buffer.from(first.status).toString(), first.signals]).toEqual(['sig17', 5])
  })
})

describe('the server', () => {
  it('is described by attributes', () => {
    const { attribute } = callsOf({ state: newState(), cores: 5, bufferSize: 8192, startedOn: 1_795_806_101.75, isReload: true })
    const names = ['numproc', 'cores', 'has_threads', 'buffer_size', 'started_on', 'is_a_reload']
    expect(names.map(attribute)).toEqual([2, 5, 0, 8192, 1_795_806_101, true])
  })

  it('tells the time in microseconds', () => {
    const { call } = callsOf({})
    const before = Date.now()
    const micros = call('micros') as number
    expect(micros).toBeGreaterThanOrEqual((before - 3) * 1000)
    expect(micros).toBeLessThanOrEqual((Date.now() + 4) * 1000)
    expect(Number.isSafeInteger(micros)).toBe(true)
  })

  it.each(['reload', 'stop'])('%s asks the master and returns', (name) => {
    const asked: unknown[] = []
    const master = { notify: (...notice: unknown[]) => asked.push(notice) } as unknown as MasterCalls
    const { call, fault } = callsOf({ master })
    expect(call(name)).toBe(true)
    expect(asked).toEqual([[name, {}]])
    expect(fault(name, 1)).toBe(`TypeError: uwsgi.${name}(): takes at most 0 arguments, got 1`)
  })

  it('set_user_harakiri hands the deadline on', () => {
    const deadlines: number[] = []
    const { call, fault } = callsOf({ setUserHarakiri: (seconds) => deadlines.push(seconds) })
    expect([call('set_user_harakiri', 30), call('set_user_harakiri', 0)]).toEqual([undefined, undefined])
    expect(fault('set_user_harakiri', -1)).toBe(
      "ValueError: uwsgi.set_user_harakiri(): argument 'seconds' must be from 0 to 2147483, not -1",
    )
    expect(fault('set_user_harakiri', 1.5)).toBe(
      "TypeError: uwsgi.set_user_harakiri(): argument 'seconds' must be a whole number",
    )
    expect(fault('set_user_harakiri')).toBe("TypeError: uwsgi.set_user_harakiri(): missing argument 'seconds'")
    expect(deadlines).toEqual([30, 0])
  })
})

describe.runIf(process.platform === 'linux')('setprocname', () => {
  const comm = '/proc/thread-self/comm'
  const before = process.platform === 'linux' ? readFileSync(comm) : ''
  afterEach(() => writeFileSync(comm, before))

  it('names the thread, as far as the kernel lets it', () => {
    const { call, fault } = callsOf({})
    expect(call('setprocname', 'busy one')).toBeUndefined()
    expect(readFileSync(comm, 'utf8')).toBe('busy one\n')
    expect(call('setprocname', 'a name of many words')).toBeUndefined()
    expect(readFileSync(comm, 'utf8')).toBe('a name of many \n')
    expect(fault('setprocname', 5)).toBe("TypeError: uwsgi.setprocname(): argument 'name' must be text or bytes")
    expect(fault('setprocname')).toBe("TypeError: uwsgi.setprocname(): missing argument 'name'")
  })
})

describe('who is running', () => {
  const none = { workerId: 0, muleId: 0, spoolerId: 0, isLoading: false }
  const mule: ThreadIdentity = { ...none, kind: 'mule', number: 4, seat: 4, muleId: 2 }
  const spooler: ThreadIdentity = { ...none, kind: 'spooler', number: 5, seat: 5, spoolerId: 1 }

  it.each([
    ['worker', testThread(2), [2, 0, undefined]],
    ['mule', mule, [0, 2, undefined]],
    ['spooler', spooler, [0, 0, true]],
  ])('is known in a %s', (_, thread, known) => {
    const { call } = callsOf({ thread })
    expect([call('worker_id'), call('mule_id'), call('i_am_the_spooler')]).toEqual(known)
  })

  it.each([
    ['0.1.0', [0, 1, 0]],
    ['12.3.45-rc.1', [12, 3, 45]],
    ['1.2.3+build', [1, 2, 3]],
  ])('is of version %s', (version, numbers) => {
    expect(callsOf({ version }).attribute('version_info')).toEqual(numbers)
  })
})
