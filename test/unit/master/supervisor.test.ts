// Threads started, replaced, renewed, stopped: the supervisor with threads that do nothing but what a test has them do.
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PolywsgiError } from '../../../host/errors.ts'
import type { CallHandlers, NoticeHandlers } from '../../../host/master/call-handlers.ts'
import { Supervisor } from '../../../host/master/supervisor.ts'
import { sharedNow } from '../../../host/state/deadlines.ts'
import { StateMap } from '../../../host/state/state-map.ts'
import { WorkerState } from '../../../host/state/worker-slots.ts'
import type { ThreadPlan, ThreadStart } from '../../../host/worker/messages.ts'

/** What a thread does. */
type Conduct = 'serve' | 'die' | 'load for ever' | 'end at once' | 'lose its app' | 'die when attached' | 'leave'

/** Stands where host/worker/entry.ts does. */
const entry = `data:text/javascript,${encodeURIComponent(`
  import { parentPort, workerData } from 'node:worker_threads'
  const { conduct } = workerData.opt
  const forever = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  if (conduct === 'die') throw new Error('the app is broken')
  if (conduct === 'load for ever') forever()
  const app = { mountpoint: '/app', source: 'app.py' }
  if (conduct === 'lose its app') parentPort.postMessage({ kind: 'app-failed', failure: { ...app, message: 'no', details: '' } })
  else parentPort.postMessage({ kind: 'app', id: 0, ...app, language: 'x', milliseconds: 0 })
  parentPort.postMessage({ kind: 'loaded' })
  const { attachment } = await new Promise((resolve) => {
    parentPort.once('message', (message) => (message.kind === 'attach' ? resolve(message) : process.exit(0)))
  })
  if (conduct === 'die when attached') process.exit(6)
  parentPort.postMessage({ kind: 'ready' })
  if (conduct === 'end at once') process.exit(4)
  if (conduct === 'leave') parentPort.postMessage({ kind: 'leaving' })
  parentPort.on('message', () => process.exit(0))
  workerData.callPort.on('message', ({ id, name }) => {
    if (name === 'die') process.exit(5)
    if (name === 'be deaf') {
      parentPort.postMessage({ kind: 'parcel', id: 1, bytes: new Uint8Array(0) })
      forever()
    }
    const value = Buffer.from(attachment.identity.number + ' ' + workerData.seat)
    workerData.callPort.postMessage({ kind: 'ran', id, outcome: { value } })
  })
`)}`

const none = { workerId: 0, muleId: 0, spoolerId: 0 }
const worker = (number: number): ThreadPlan => ({ identity: { ...none, kind: 'worker', number, workerId: number } })
const mule = (number: number): ThreadPlan => ({ identity: { ...none, kind: 'mule', number, muleId: 1 } })
/** Longer than any test takes. */
const longMs = 60_000
/** What the log says, without what differs from time to time and from place to place. */
const plainly = (lines: readonly string[]): string[] =>
  lines.filter((line) => !line.includes(': app 0 ')).map((line) => line.replace(/ in [\d.]+ s$/, ''))

describe('the supervisor', () => {
  let supervisor: Supervisor
  let state: StateMap
  let log: string[]
  let onLog: (line: string) => void
  let onParcel: () => void = () => {}
  /** Of the threads that are started next; those after them serve. */
  let conducts: Conduct[]
  /** Throws what the start of a thread throws. */
  let onStart: () => void
  let deaths: string[]

  let spares: number
  let mercyMs: number
  let isReloadAwaited: boolean
  /** Seats that requests went to, as the dispatcher would see it. */
  let attached: number[]
  let left: number[]

  const make = (...plans: ThreadPlan[]): void => {
    const shape = { workers: 2, otherThreads: 2, spares, requestSlots: 2, requestAreaSize: 1024, responseRingSize: 4096 }
    state = StateMap.create(shape)
    supervisor = new Supervisor({
      plans,
      state,
      entry,
      spares,
      mercyMs,
      isReloadAwaited: () => isReloadAwaited,
      loadPatienceMs: 0,
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
      attached: ({ seat }) => void attached.push(seat),
      leaves: ({ seat }) => void left.push(seat),
      judge: ({ failures }, before) => {
        if (failures.some(({ mountpoint }) => before?.apps.has(mountpoint))) throw new PolywsgiError('APP_LOAD', 'no app')
      },
      parcel: () => onParcel(),
      ended: ({ plan }, status) => {
        deaths.push(`${plan.identity.number} ${status}`)
        return ''
      },
    })
  }
  /** A thread hears nothing any more, once this resolves. */
  const deafen = async (seat: number): Promise<void> => {
    const isDeaf = new Promise<void>((resolve) => {
      onParcel = resolve
    })
    void supervisor.run(seat, 'be deaf', []).catch(() => {})
    await isDeaf
  }
  /** What serves for a number now says its number and seat. */
  const ask = async (number: number): Promise<string> =>
    String(Buffer.from((await supervisor.run(state.seats.current(number), 'f', [])) ?? []))
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
    attached = []
    left = []
    spares = 0
    mercyMs = longMs
    isReloadAwaited = false
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
    expect(await Promise.all([1, 2, 3].map(ask))).toEqual(['1 1', '2 2', '3 3'])
    await expect(supervisor.run(4, 'f', [])).rejects.toThrow('the thread that has f does not run')
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
    await supervisor.reload()
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
    expect(state.deadlines.isOver(1, sharedNow() + longMs)).toBe(false)
  })

  it('ends one that has overrun while others boot', async () => {
    make(worker(1), worker(2))
    conducts = ['serve', 'load for ever']
    const starting = supervisor.start().catch(() => {})
    await logged('worker 1: ready')
    state.deadlines.set(state.seats.current(1), sharedNow())
    await logged('*** HARAKIRI ON WORKER 1 ***')
    supervisor.beginStop()
    await starting
  })

  it('ends one that has overrun during the stop, and says when no worker is left', async () => {
    make(worker(1), worker(2))
    await supervisor.start()
    supervisor.beginStop()
    for (const number of [1, 2]) state.deadlines.set(state.seats.current(number), sharedNow())
    await supervisor.workersGone
    expect(deaths.toSorted()).toEqual(['1 504', '2 504'])
  })

  describe('in a reload', () => {
    it('gives up a thread that loads for ever when another reload waits', async () => {
      make(worker(1))
      await supervisor.start()
      conducts = ['load for ever']
      isReloadAwaited = true
      await expect(supervisor.reload()).rejects.toThrow('it has not loaded its apps in 0 s, and a reload waits for it')
      expect(await ask(1)).toBe('1 1')
      await supervisor.reload()
      expect(await ask(1)).not.toBe('1 1')
    })

    it('gives up one that loads for ever to renew a worker', async () => {
      make(worker(1))
      await supervisor.start()
      conducts = ['load for ever']
      supervisor.renewWorker(1, 'of its age')
      while (conducts.length > 0) await turn()
      await supervisor.reload()
      await logged('worker 1 is not renewed, it goes on as it is')
      expect(await ask(1)).not.toBe('1 1')
    })

    it('has a whole generation ready before any of it serves', async () => {
      make(worker(1), worker(2), mule(3))
      await supervisor.start()
      log.length = 0
      await supervisor.reload()
      const lines = plainly(log)
      expect(lines.slice(0, 2)).toEqual(['...gracefully reloading...', 'reload: the new generation is ready, and takes over'])
      expect(lines.slice(2, -1).sort()).toEqual(['mule 1: ready', 'worker 1: ready', 'worker 2: ready'])
      expect(lines.at(-1)).toBe('reload complete')
      for (const number of [1, 2, 3]) expect(state.seats.current(number)).toBeGreaterThan(3)
    })

    it('lets a thread serve until the one that follows it is ready, and then finish what it had begun', async () => {
      make(worker(1))
      await supervisor.start()
      await deafen(1)
      await supervisor.reload()
      expect([attached, left]).toEqual([[1, 2], [1]])
      expect(state.seats.isLeaving(1)).toBe(true)
      expect([supervisor.isSeatReady(1), supervisor.isSeatReady(2), supervisor.isReady(1)]).toEqual([false, true, true])
      // Its requests are waited for all the same.
      expect(supervisor.readyWorkers).toBe(2)
      expect(await ask(1)).toBe('1 2')
    })

    it('ends a thread that takes longer than its mercy, and says so', async () => {
      mercyMs = 20
      make(worker(1))
      await supervisor.start()
      await deafen(1)
      await supervisor.reload()
      await logged('worker 1 is taking too much time to die...NO MERCY !!!')
      expect(deaths).toEqual(['1 503'])
      expect(await ask(1)).toBe('1 2')
    })

    it('gives up when a thread of the new generation dies: the old one goes on, and the next reload mends it', async () => {
      make(worker(1), worker(2))
      await supervisor.start()
      log.length = 0
      conducts = ['serve', 'die']
      await expect(supervisor.reload()).rejects.toThrow(/^worker \d could not start: Error: the app is broken/)
      expect(log).toContainEqual(
        expect.stringMatching(/^reload given up: worker \d could not .* the old generation goes on serving$/s),
      )
      expect(await Promise.all([1, 2].map(ask))).toEqual(['1 1', '2 2'])
      expect(attached).toHaveLength(2)
      await supervisor.reload()
      expect(await ask(1)).not.toBe('1 1')
      expect(log.at(-1)).toBe('reload complete')
    })

    it('gives up when an app is lost that was there before', async () => {
      make(worker(1))
      await supervisor.start()
      conducts = ['lose its app']
      await expect(supervisor.reload()).rejects.toThrow('no app')
      expect(log.at(-1)).toBe('reload given up: no app: the old generation goes on serving')
      expect(await ask(1)).toBe('1 1')
    })

    it('goes on without an app that was not there before either', async () => {
      make(worker(1))
      conducts = ['lose its app', 'lose its app']
      await supervisor.start()
      await supervisor.reload()
      expect(await ask(1)).toBe('1 2')
    })

    it('starts a thread again that dies as it takes over, while the one before it serves', async () => {
      make(worker(1))
      await supervisor.start()
      conducts = ['die when attached']
      await expect(supervisor.reload()).rejects.toThrow('worker 1 could not start: its thread exited with code 6')
      expect(await ask(1)).toBe('1 1')
    })

    it('goes as a chain from one thread to the next, each when the one before is ready', async () => {
      make(worker(1), worker(2), mule(3))
      await supervisor.start()
      log.length = 0
      await supervisor.reload('chain')
      expect(plainly(log)).toEqual([
        '...chain reloading...',
        'chain next victim is worker 1',
        'worker 1: ready',
        'chain next victim is worker 2',
        'worker 2: ready',
        'chain next victim is mule 1',
        'mule 1: ready',
        'chain reloading complete',
      ])
    })

    it('ends a chain at the first thread that cannot be followed', async () => {
      make(worker(1), worker(2))
      await supervisor.start()
      conducts = ['serve', 'die']
      await expect(supervisor.reload('chain')).rejects.toThrow('worker 2 could not start')
      expect(log.at(-1)).toMatch(/^chain reload given up, the other threads go on as they are: worker 2 could not/)
      expect(await Promise.all([1, 2].map(ask))).toEqual(['1 3', '2 2'])
    })

    it.each([
      ['workers', [true, false]],
      ['mules', [false, true]],
      ['spoolers', [false, false]],
    ] as const)('of %s leaves the other threads alone', async (kind, isNew) => {
      make(worker(1), mule(2))
      await supervisor.start()
      await supervisor.reload(kind)
      expect([await ask(1), await ask(2)].map((answer, index) => answer !== `${index + 1} ${index + 1}`)).toEqual(isNew)
    })

    it('has a mule begin only when the one before it has ended', async () => {
      mercyMs = 20
      make(mule(1))
      await supervisor.start()
      await deafen(1)
      await supervisor.reload()
      const ended = log.findIndex((line) => line.includes('NO MERCY'))
      const ready = log.findLastIndex((line) => line.startsWith('mule 1: ready'))
      expect([ended, ready - ended]).toEqual([expect.any(Number), 1])
      expect(ended).toBeGreaterThan(0)
    })

    it('does not wait out the pause of a thread that failed to start', async () => {
      make(worker(1), mule(2))
      conducts = ['serve', 'end at once']
      await supervisor.start()
      await logged('mule 1: next start in 1.00 s')
      await supervisor.reload()
      expect(supervisor.isReady(2)).toBe(true)
    })

    it('ends a thread that is still loading, and loads anew', async () => {
      make(worker(1))
      await supervisor.start()
      conducts = ['load for ever']
      await supervisor.run(1, 'die', []).catch(() => {})
      while (conducts.length > 0) await turn()
      await supervisor.reload()
      expect(supervisor.isReady(1)).toBe(true)
    })

    it('lets a successor take over at once from one that dies meanwhile', async () => {
      make(worker(1), worker(2))
      await supervisor.start()
      let hasBegun = false
      onStart = () => {
        if (!hasBegun) void supervisor.run(1, 'die', []).catch(() => {})
        hasBegun = true
      }
      await supervisor.reload()
      expect([1, 2].map((number) => supervisor.isReady(number))).toEqual([true, true])
      await logged('DAMN ! worker 1 died: its thread exited with code 5')
    })

    it('ends with an error when the server is stopped meanwhile, whatever the thread is doing', async () => {
      make(worker(1))
      await supervisor.start()
      conducts = ['load for ever']
      const reload = supervisor.reload()
      while (conducts.length > 0) await turn()
      supervisor.beginStop()
      await expect(reload).rejects.toMatchObject({ code: 'HOST_CLOSED' })
      await supervisor.stop(false)
      expect(log).not.toContain('reload complete')
    })

    it('is given up without a thread that the system refuses', async () => {
      make(worker(1), worker(2))
      await supervisor.start()
      onStart = () => {
        onStart = () => {}
        throw new Error('no more threads')
      }
      await expect(supervisor.reload()).rejects.toThrow('worker 1 could not start: no more threads')
      expect([1, 2].map((number) => supervisor.isReady(number))).toEqual([true, true])
      await supervisor.reload()
      expect(supervisor.isReady(1)).toBe(true)
    })
  })

  describe('that renews one worker', () => {
    it('has its successor ready first', async () => {
      make(worker(1), worker(2))
      await supervisor.start()
      log.length = 0
      supervisor.renewWorker(1, 'it has served enough')
      supervisor.renewWorker(1, 'it has served more than enough')
      await logged('worker 1: ready')
      expect(plainly(log)).toEqual(['worker 1 is renewed: it has served enough', 'worker 1: ready'])
      expect(await Promise.all([1, 2].map(ask))).toEqual(['1 3', '2 2'])
    })

    it('keeps it when the successor cannot be, and does not try again at once', async () => {
      make(worker(1))
      await supervisor.start()
      conducts = ['lose its app']
      supervisor.renewWorker(1, 'it has served enough')
      await logged('worker 1 is not renewed, it goes on as it is: no app')
      expect(await ask(1)).toBe('1 1')
      log.length = 0
      await turn()
      supervisor.renewWorker(1, 'it has served enough')
      expect(log).toEqual([])
    })

    it('has another one take what comes as soon as a worker says that it leaves', async () => {
      make(worker(1))
      conducts = ['leave']
      await supervisor.start()
      await logged('worker 1: ready')
      while (state.seats.current(1) < 2) await turn()
      expect(await ask(1)).toBe('1 2')
      expect(log.some((line) => line.startsWith('DAMN'))).toBe(false)
    })
  })

  describe('that is to run fewer workers', () => {
    const stateOf = (id: number): WorkerState => state.workers.state(id)

    it('lets the highest idle one go, and starts it again when it is wanted', async () => {
      make(worker(1), worker(2))
      await supervisor.start()
      supervisor.setWanted(1)
      while (stateOf(2) !== WorkerState.cheap) await turn()
      expect([supervisor.isReady(1), supervisor.isReady(2)]).toEqual([true, false])
      supervisor.setWanted(2)
      while (!supervisor.isReady(2)) await turn()
      expect(stateOf(2)).toBe(WorkerState.ready)
    })

    it('keeps the one that is busy', async () => {
      make(worker(1), worker(2))
      await supervisor.start()
      state.seats.setRunning(state.seats.current(2), 1)
      supervisor.setWanted(1)
      while (stateOf(1) !== WorkerState.cheap) await turn()
      expect(supervisor.isReady(2)).toBe(true)
    })

    it('has no third one of a number: what is wanted again waits for room', async () => {
      make(worker(1), worker(2))
      await supervisor.start()
      const deadBefore: number[] = []
      onStart = () => void deadBefore.push(deaths.length)
      const seats: number[] = []
      for (let round = 0; round < 2; round += 1) {
        while (!supervisor.isReady(2)) await turn()
        seats.push(state.seats.current(2))
        // It has begun something that takes long.
        await deafen(state.seats.current(2))
        supervisor.setWanted(1)
        supervisor.setWanted(2)
      }
      state.deadlines.set(seats[0] as number, sharedNow())
      while (!supervisor.isReady(2)) await turn()
      expect(deadBefore).toEqual([0, 1])
    })

    it('starts with those that are wanted, and never without any', async () => {
      make(worker(1), worker(2))
      supervisor.setWanted(0)
      await supervisor.start()
      expect([supervisor.isReady(1), supervisor.isReady(2)]).toEqual([true, false])
      expect(stateOf(2)).toBe(WorkerState.cheap)
    })
  })

  describe('that keeps spares', () => {
    const dies = async (number: number): Promise<void> =>
      void (await supervisor.run(state.seats.current(number), 'die', []).catch(() => {}))

    it('has one stand for a worker that dies, and boots another', async () => {
      spares = 1
      make(worker(1))
      await supervisor.start()
      await logged('spare worker: ready in ')
      log.length = 0
      await dies(1)
      await logged('spare worker: ready in ')
      expect(plainly(log)).toEqual([
        'DAMN ! worker 1 died: its thread exited with code 5',
        'worker 1: ready',
        'spare worker: ready',
      ])
      expect(await ask(1)).toBe('1 2')
    })

    it('boots them anew when the server is reloaded', async () => {
      spares = 1
      make(worker(1))
      await supervisor.start()
      await logged('spare worker: ready in ')
      await supervisor.reload()
      log.length = 0
      await logged('spare worker: ready in ')
      expect(deaths).toContain('0 500')
    })

    it('tries later and later when they die, and serves without', async () => {
      spares = 1
      make(worker(1))
      conducts = ['serve', 'die', 'die']
      await supervisor.start()
      await logged('spare worker: next start in 1.00 s')
      await logged('spare worker: next start in 2.00 s')
      expect(log).toContainEqual(expect.stringMatching(/^DAMN ! spare worker died: Error: the app is broken/))
      expect(await ask(1)).toBe('1 1')
    })
  })

  it('stops a thread that hears nothing', async () => {
    make(mule(1))
    await supervisor.start()
    await deafen(1)
    supervisor.beginStop()
    await supervisor.stop(false)
    expect(supervisor.isReady(1)).toBe(false)
    expect(deaths).toEqual(['1 503'])
  })
})
