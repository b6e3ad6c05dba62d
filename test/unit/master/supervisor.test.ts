// Threads started, replaced, renewed, stopped: the supervisor with threads that do nothing but what a test has them do.
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PolywsgiError } from '../../../host/errors.ts'
import type { CallHandlers, NoticeHandlers } from '../../../host/master/call-handlers.ts'
import { Supervisor } from '../../../host/master/supervisor.ts'
import { sharedNow } from '../../../host/state/deadlines.ts'
import { StateMap } from '../../../host/state/state-map.ts'
import type { ThreadPlan, ThreadStart } from '../../../host/worker/messages.ts'

/** What a thread does. */
type Conduct = 'serve' | 'die' | 'load for ever' | 'be deaf' | 'end at once'

/** Stands where host/worker/entry.ts does. */
const entry = `data:text/javascript,${encodeURIComponent(`
  import { parentPort, workerData } from 'node:worker_threads'
  const { conduct } = workerData.opt
  if (conduct === 'die') throw new Error('the app is broken')
  if (conduct === 'load for ever') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  parentPort.postMessage({ kind: 'ready' })
  if (conduct === 'end at once') process.exit(4)
  if (conduct === 'be deaf') setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
  parentPort.on('message', () => process.exit(0))
  workerData.callPort.on('message', ({ id, name }) => {
    if (name === 'die') process.exit(5)
    workerData.callPort.postMessage({ kind: 'ran', id, outcome: { value: undefined } })
  })
`)}`

const none = { workerId: 0, muleId: 0, spoolerId: 0 }
const worker = (number: number): ThreadPlan => ({ identity: { ...none, kind: 'worker', number, workerId: number } })
const mule = (number: number): ThreadPlan => ({ identity: { ...none, kind: 'mule', number, muleId: 1 } })
/** Longer than any test takes. */
const mercyMs = 60_000

describe('the supervisor', () => {
  let supervisor: Supervisor
  let state: StateMap
  let log: string[]
  let onLog: (line: string) => void
  /** Of the threads that are started next; those after them serve. */
  let conducts: Conduct[]
  /** Throws what the start of a thread throws. */
  let onStart: () => void
  let deaths: string[]

  const make = (...plans: ThreadPlan[]): void => {
    const shape = { workers: 2, otherThreads: 2, requestSlots: 2, requestAreaSize: 1024, responseRingSize: 4096 }
    state = StateMap.create(shape)
    supervisor = new Supervisor({
      plans,
      state,
      entry,
      harakiriGraceMs: 0,
      log: (line) => {
        log.push(line)
        onLog(line)
      },
      calls: {} as CallHandlers,
      notices: {} as NoticeHandlers,
      start: () => {
        onStart()
        return { opt: { conduct: conducts.shift() ?? 'serve' } } as unknown as ThreadStart
      },
      appFailed: () => {},
      pluginLost: () => {},
      ready: () => {},
      parcel: () => {},
      ended: ({ identity }, status) => {
        deaths.push(`${identity.number} ${status}`)
        return ''
      },
    })
  }
  const logged = async (text: string): Promise<void> => {
    if (log.some((line) => line.includes(text))) return
    await new Promise<void>((resolve) => {
      onLog = (line) => {
        if (line.includes(text)) resolve()
      }
    })
  }

  beforeEach(() => {
    log = []
    deaths = []
    conducts = []
    onLog = onStart = () => {}
  })
  afterEach(async () => {
    supervisor.beginStop()
    await supervisor.stop(true)
  })

  it('starts all threads, and can ask each of them', async () => {
    make(worker(1), worker(2), mule(3))
    await supervisor.start()
    expect(supervisor.readyWorkers).toBe(2)
    expect([1, 2, 3, 4].map((thread) => supervisor.isReady(thread))).toEqual([true, true, true, false])
    expect(await supervisor.run(3, 'f', [])).toBeUndefined()
    await expect(supervisor.run(4, 'f', [])).rejects.toThrow('thread 4 does not run')
  })

  it('does not start with a thread that dies before it is ready, and says why', async () => {
    make(worker(1), worker(2))
    conducts = ['serve', 'die']
    await expect(supervisor.start()).rejects.toThrow(/^worker 2 could not start: Error: the app is broken/)
  })

  it('gives a start up that is stopped meanwhile, and starts nothing once it is stopped', async () => {
    make(worker(1))
    conducts = ['load for ever']
    const start = supervisor.start()
    supervisor.beginStop()
    await expect(start).rejects.toMatchObject({ code: 'HOST_CLOSED' })
    await supervisor.stop(false)
    await expect(supervisor.start()).rejects.toMatchObject({ code: 'HOST_CLOSED' })
    expect(log).toEqual([])
  })

  it('starts a worker anew at once, and refuses what it was asked', async () => {
    make(worker(1), mule(2))
    await supervisor.start()
    await expect(supervisor.run(1, 'die', [])).rejects.toThrow('worker 1, which was to run it, has ended')
    await logged('DAMN ! worker 1 died: its thread exited with code 5')
    await supervisor.reload(mercyMs)
    expect(supervisor.isReady(1)).toBe(true)
    expect(log.some((line) => line.includes('next start in'))).toBe(false)
    expect(deaths[0]).toBe('1 500')
  })

  it('starts a mule that ends at once later and later', async () => {
    make(worker(1), mule(2))
    conducts = ['serve', 'end at once', 'end at once']
    await supervisor.start()
    await logged('mule 1: next start in 1.00 s')
    await logged('mule 1: next start in 2.00 s')
    expect(supervisor.isReady(1)).toBe(true)
  })

  it('ends a thread that has overrun its own deadline', async () => {
    make(worker(1))
    await supervisor.start()
    state.deadlines.set(1, sharedNow())
    await logged('*** HARAKIRI ON WORKER 1 ***')
    await logged('DAMN ! worker 1 died: it overran its deadline (harakiri)')
    expect(deaths).toEqual(['1 504'])
    expect(state.deadlines.isOver(1, sharedNow() + mercyMs)).toBe(false)
  })

  describe('in a reload', () => {
    it('renews one thread after the other', async () => {
      make(worker(1), worker(2), mule(3))
      await supervisor.start()
      log.length = 0
      await supervisor.reload(mercyMs)
      expect(log.map((line) => line.replace(/ in [\d.]+ s$/, ''))).toEqual([
        '...gracefully reloading...',
        'reload: next is worker 1',
        'worker 1: ready',
        'reload: next is worker 2',
        'worker 2: ready',
        'reload: next is mule 1',
        'mule 1: ready',
        'reload complete',
      ])
    })

    it('asks a thread that was told to end nothing more', async () => {
      make(worker(1))
      await supervisor.start()
      const reload = supervisor.reload(mercyMs)
      expect(supervisor.isReady(1)).toBe(false)
      // Its requests are waited for all the same.
      expect(supervisor.readyWorkers).toBe(1)
      await reload
      expect(supervisor.isReady(1)).toBe(true)
    })

    it('gives up when a successor dies while it starts: the other threads go on as they are, and the next reload mends it', async () => {
      make(worker(1), worker(2))
      await supervisor.start()
      log.length = 0
      conducts = ['die']
      await expect(supervisor.reload(mercyMs)).rejects.toThrow(/^worker 1 could not start: Error: the app is broken/)
      expect(log).not.toContain('reload: next is worker 2')
      expect(log).toContainEqual(
        expect.stringMatching(/^reload given up, the other threads go on as they are: worker 1 could not/),
      )
      expect([1, 2].map((thread) => supervisor.isReady(thread))).toEqual([false, true])
      await supervisor.reload(mercyMs)
      expect([1, 2].map((thread) => supervisor.isReady(thread))).toEqual([true, true])
      expect(log.at(-1)).toBe('reload complete')
    })

    it('gives up when somebody does not like what has become of a thread', async () => {
      make(worker(1), worker(2))
      await supervisor.start()
      const refuse = (): void => {
        throw new PolywsgiError('APP_LOAD', 'no app')
      }
      await expect(supervisor.reload(mercyMs, refuse)).rejects.toThrow('no app')
      expect(log).not.toContain('reload: next is worker 2')
    })

    it('does not wait out the pause of a thread that failed to start', async () => {
      make(worker(1), mule(2))
      conducts = ['serve', 'end at once']
      await supervisor.start()
      await logged('mule 1: next start in 1.00 s')
      await supervisor.reload(mercyMs)
      expect(supervisor.isReady(2)).toBe(true)
    })

    it('ends a thread that is still loading, and loads anew', async () => {
      make(worker(1))
      await supervisor.start()
      conducts = ['load for ever']
      await supervisor.run(1, 'die', []).catch(() => {})
      while (conducts.length > 0) await turn()
      await supervisor.reload(mercyMs)
      expect(supervisor.isReady(1)).toBe(true)
    })

    it('ends a mule that hears nothing where it stands', async () => {
      make(worker(1), mule(2))
      conducts = ['serve', 'be deaf']
      await supervisor.start()
      await supervisor.reload(mercyMs)
      expect(supervisor.isReady(2)).toBe(true)
      expect(log.some((line) => line.startsWith('DAMN'))).toBe(false)
    })

    it('ends with an error when the server is stopped meanwhile, whatever the thread is doing', async () => {
      make(worker(1))
      await supervisor.start()
      conducts = ['load for ever']
      const reload = supervisor.reload(mercyMs)
      while (conducts.length > 0) await turn()
      supervisor.beginStop()
      await expect(reload).rejects.toMatchObject({ code: 'HOST_CLOSED' })
      await supervisor.stop(false)
      expect(log).not.toContain('reload complete')
    })

    it('lives without a thread that the system refuses, and tries again', async () => {
      make(worker(1), worker(2))
      await supervisor.start()
      onStart = () => {
        onStart = () => {}
        throw new Error('no more threads')
      }
      await expect(supervisor.reload(mercyMs)).rejects.toThrow('worker 1 could not start: no more threads')
      expect(log).toContain('worker 1: next start in 1.00 s')
      expect(supervisor.isReady(2)).toBe(true)
      await supervisor.reload(mercyMs)
      expect(supervisor.isReady(1)).toBe(true)
    })
  })

  it('stops a thread that hears nothing', async () => {
    make(mule(1))
    conducts = ['be deaf']
    await supervisor.start()
    supervisor.beginStop()
    await supervisor.stop(false)
    expect(supervisor.isReady(1)).toBe(false)
    expect(deaths).toEqual(['1 500'])
  })
})
