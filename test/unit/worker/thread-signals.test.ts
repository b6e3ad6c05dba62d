// Signals in one thread: registering, raising, running handlers that work, fail, or take their time, and waiting.
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { GuestFunction } from '../../../host/api/guest-function.ts'
import { ApiError, GuestError } from '../../../host/errors.ts'
import { newHandler, newThread } from './signal-parts.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('raising', () => {
  it('appends to the thread’s own queue and rings the master', () => {
    const { thread, signals, masterBell } = newThread(3)
    const before = masterBell.sequence
    expect([thread.raise(0), thread.raise(255)]).toEqual([true, true])
    expect([signals.outgoing(3).take(), signals.outgoing(3).take()]).toEqual([0, 255])
    expect(masterBell.sequence).not.toBe(before)
  })

  it('drops what does not fit, counts each, and says so once a second at most', () => {
    const made = newThread(4)
    const { thread, signals, lines } = made
    expect([1, 2, 3, 4, 5, 6].map((signum) => thread.raise(signum))).toEqual([true, true, true, true, false, false])
    expect(signals.unrouted).toBe(2)
    const said = [
      '*** SIGNAL QUEUE IS FULL: 4 signals wait (you can tune it with --signal-bufsize) ***',
      'could not deliver signal 5 from mule 2 to the master',
    ]
    expect(lines).toEqual(said)
    signals.outgoing(4).take()
    made.nowMs = 999
    expect([thread.raise(7), thread.raise(5)]).toEqual([true, false])
    expect(lines).toEqual(said)
    made.nowMs = 1000
    expect(thread.raise(5)).toBe(false)
    expect(signals.unrouted).toBe(4)
    expect(lines).toEqual([...said, ...said])
  })
})

describe('registering', () => {
  it('tells the table and the log, the log only when the table changed', () => {
    const one = newThread(1)
    const other = newThread(2, one.signals)
    one.thread.register(
      3,
      '',
      newHandler(() => true),
    )
    other.thread.register(
      3,
      '',
      newHandler(() => true),
    )
    expect(one.signals.table.row(3)).toEqual({ receiver: '', modifier1: 6, seat: 1 })
    expect([1, 2, 3].map((thread) => one.signals.table.hasHandler(thread, 3))).toEqual([true, true, false])
    expect(one.lines).toEqual(['[uwsgi-signal] signum 3 registered (wid: 1 modifier1: 6 target: default, any worker)'])
    expect(other.lines).toEqual([])
  })

  it('is known to the thread that did it, not to others: all threads find the same free numbers', () => {
    const one = newThread(1)
    const other = newThread(2, one.signals)
    one.thread.register(
      0,
      'workers',
      newHandler(() => true),
    )
    expect([one.thread.isRegistered(0), one.thread.isRegistered(1), other.thread.isRegistered(0)]).toEqual([true, false, false])
  })

  it('for a thread that this server does not have is taken, and told in the log', () => {
    const { thread, signals, lines } = newThread()
    thread.register(
      3,
      'worker3',
      newHandler(() => true),
    )
    expect(thread.isRegistered(3)).toBe(true)
    expect(signals.table.row(3)).toMatchObject({ receiver: 'worker3' })
    expect(lines).toContain('[uwsgi-signal] signum 3 will reach nobody: there is no worker 3 (of 2)')
  })

  it.each([
    ['everybody', "unable to register signal 3: 'everybody' is no signal target"],
    ['farm', "unable to register signal 3: 'farm' is no signal target"],
  ])('for %j is refused, and the handler given back', (receiver, message) => {
    const { thread, signals, lines } = newThread()
    const released: unknown[] = []
    const handler = newHandler(() => true, released)
    const register = (): void => thread.register(3, receiver, handler)
    expect(register).toThrow(ApiError)
    expect(register).toThrow(`uwsgi.register_signal(): ${message}`)
    expect(released).toContain(handler.handler)
    expect(thread.isRegistered(3)).toBe(false)
    expect(signals.table.row(3)).toBeUndefined()
    expect(lines).toEqual([])
  })

  it('the same number twice while loading is refused, and the first stays', () => {
    const made = newThread()
    made.isLoading = true
    const ran: string[] = []
    made.thread.register(
      3,
      'workers',
      newHandler(() => ran.push('first') > 0),
    )
    const second = newHandler(() => ran.push('second') > 0)
    expect(() => made.thread.register(3, 'worker1', second)).toThrow('unable to register signal 3: it is registered already')
    expect(made.signals.table.row(3)?.receiver).toBe('workers')
    made.signals.incoming(1).push(3)
    made.thread.handlePending()
    expect(ran).toEqual(['first'])
  })

  it('by each thread that loads, and again after a respawn, is welcome', () => {
    const first = newThread(1)
    first.isLoading = true
    const register = (thread: typeof first.thread): void =>
      thread.register(
        3,
        'workers',
        newHandler(() => true),
      )
    register(first.thread)
    first.signals.threadEnded(1)
    const respawned = newThread(1, first.signals)
    respawned.isLoading = true
    register(respawned.thread)
    expect(first.signals.table.hasHandler(1, 3)).toBe(true)
  })

  it('again while serving replaces: the new handler runs, the old one is given back', () => {
    const { thread, signals } = newThread()
    const released: unknown[] = []
    const ran: string[] = []
    const old = newHandler(() => ran.push('old') > 0, released)
    thread.register(3, 'workers', old)
    thread.register(
      3,
      'worker1',
      newHandler(() => ran.push('new') > 0, released),
    )
    expect(released).toEqual([old.handler])
    expect(signals.table.row(3)?.receiver).toBe('worker1')
    signals.incoming(1).push(3)
    thread.handlePending()
    expect(ran).toEqual(['new'])
  })
})

describe('what has arrived', () => {
  it('runs in order, what is the thread’s own before what is its pool’s, with the status and the last one set', () => {
    const { thread, signals, statuses } = newThread(1)
    const ran: unknown[] = []
    for (const signum of [1, 2, 3])
      thread.register(
        signum,
        '',
        newHandler((n) => ran.push([n, thread.lastReceived, signals.handling(1)]) > 0),
      )
    expect(thread.lastReceived).toBe(0)
    signals.pools[0]!.ring.push(3)
    signals.incoming(1).push(2)
    signals.incoming(1).push(1)
    expect(thread.handlePending()).toBe(false)
    expect(ran).toEqual([
      [2, 2, 2],
      [1, 1, 1],
      [3, 3, 3],
    ])
    expect(statuses).toEqual([2, 'idle', 1, 'idle', 3, 'idle'])
    expect(signals.handling(1)).toBeUndefined()
    expect(signals.handled(1)).toBe(3)
  })

  it('is taken by mules from the mules’ pool and from their farms, not from the workers’', () => {
    const { thread, signals } = newThread(4)
    const ran: number[] = []
    for (const signum of [1, 2, 3])
      thread.register(
        signum,
        'mule',
        newHandler((n) => ran.push(n) > 0),
      )
    signals.pools[0]!.ring.push(1)
    signals.pools[1]!.ring.push(2)
    signals.pools[3]!.ring.push(3)
    thread.handlePending()
    expect(ran).toEqual([2, 3])
  })

  it('lets the loop turn when there is no end to it', () => {
    const { thread, signals } = newThread()
    let ran = 0
    thread.register(
      1,
      '',
      newHandler(() => {
        ran += 1
        return signals.incoming(1).push(1)
      }),
    )
    signals.incoming(1).push(1)
    expect(thread.handlePending()).toBe(true)
    expect(ran).toBe(64)
    expect(signals.incoming(1).length).toBe(1)
  })

  it.each([
    [1, 'error managing signal 9 on worker 1'],
    [3, 'error managing signal 9 on mule 1'],
    [5, 'error managing signal 9 on spooler 1'],
  ])('without a handler is a line of the log (thread %i)', (number, line) => {
    const { thread, signals, lines } = newThread(number)
    signals.incoming(number).push(9)
    thread.handlePending()
    expect(lines).toEqual([line])
  })

  const failing: [string, () => boolean | Promise<boolean>, string[]][] = [
    [
      'raises in guest code',
      () => {
        throw new GuestError('Python', 'boom', 'Traceback (most recent call last):\nValueError: boom')
      },
      ['Traceback (most recent call last):\nValueError: boom', 'error managing signal 9 on worker 1'],
    ],
    [
      'rejects later',
      async () => {
        await turn()
        throw new GuestError('JavaScript', 'late', 'Error: late\n at app.js:3')
      },
      ['Error: late\n at app.js:3', 'error managing signal 9 on worker 1'],
    ],
    ['is not handled', () => false, ['error managing signal 9 on worker 1']],
    ['is not handled later', async () => false, ['error managing signal 9 on worker 1']],
    ['is handled later', async () => true, []],
  ]
  it.each(failing)('and %s: the log says so, and the thread goes on', async (_, handler, wanted) => {
    const { thread, signals, lines } = newThread()
    const after: number[] = []
    thread.register(9, '', newHandler(handler))
    thread.register(
      10,
      '',
      newHandler((n) => after.push(n) > 0),
    )
    lines.length = 0
    signals.incoming(1).push(9)
    signals.incoming(1).push(10)
    expect(() => thread.handlePending()).not.toThrow()
    expect(after).toEqual([10])
    expect(signals.handling(1)).toBeUndefined()
    for (let n = 0; n < 5; n += 1) await turn()
    expect(lines).toEqual(wanted)
  })

  it('for a function of a plugin without signal handlers is an error of that signal', () => {
    const { thread, signals, lines } = newThread()
    thread.register(9, '', new GuestFunction({ name: 'general' }, {}))
    signals.incoming(1).push(9)
    thread.handlePending()
    expect(lines.at(-1)).toBe('error managing signal 9 on worker 1')
    expect(signals.table.row(9)?.modifier1).toBeUndefined()
  })

  it('and costs the interpreter ends the thread', () => {
    const { thread, signals, fatal } = newThread()
    const lost = Object.assign(new Error('out of memory'), { fatal: true })
    thread.register(
      9,
      '',
      newHandler(() => {
        throw lost
      }),
    )
    signals.incoming(1).push(9)
    thread.handlePending()
    expect(fatal).toEqual([lost])
  })
})

describe('waiting', () => {
  it('for any signal returns after the first, and leaves the rest', () => {
    const { thread, signals } = newThread()
    const ran: number[] = []
    for (const signum of [1, 2])
      thread.register(
        signum,
        '',
        newHandler((n) => ran.push(n) > 0),
      )
    signals.incoming(1).push(2)
    signals.incoming(1).push(1)
    thread.wait(undefined)
    expect(ran).toEqual([2])
    expect(thread.lastReceived).toBe(2)
    expect(signals.incoming(1).length).toBe(1)
  })

  it('for one signal runs the others meanwhile, and serves what the master asks for', () => {
    const made = newThread()
    const { thread, signals, bell } = made
    const ran: number[] = []
    for (const signum of [1, 2])
      thread.register(
        signum,
        '',
        newHandler((n) => ran.push(n) > 0),
      )
    signals.incoming(1).push(1)
    let rounds = 0
    made.serveInbox = () => {
      rounds += 1
      // What arrives between the look and the park has rung the bell: the park does not last.
      if (rounds === 2) signals.incoming(1).push(2)
      bell.ring()
    }
    thread.wait(2)
    expect(ran).toEqual([1, 2])
    expect(rounds).toBe(2)
  })

  it('inside a handler runs the awaited one within it, and the status comes back', () => {
    const { thread, signals, statuses } = newThread()
    const ran: string[] = []
    thread.register(
      1,
      '',
      newHandler(() => {
        ran.push('1 begins')
        thread.wait(2)
        return ran.push('1 ends') > 0
      }),
    )
    thread.register(
      2,
      '',
      newHandler(() => ran.push('2') > 0),
    )
    signals.incoming(1).push(1)
    signals.incoming(1).push(2)
    thread.handlePending()
    expect(ran).toEqual(['1 begins', '2', '1 ends'])
    expect(statuses).toEqual([1, 2, 1, 'idle'])
  })

  it('ends when another thread delivers the signal and rings', async () => {
    const url = (path: string): string => new URL(path, import.meta.url).href
    const { signals } = newThread()
    const words = new Int32Array(new SharedArrayBuffer(64))
    const waiter = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads')
       Promise.all(workerData.urls.map((url) => import(url))).then(([{ SignalState }, { Doorbell }, { ThreadSignals }]) => {
         const doorbell = new Doorbell(workerData.words)
         const parts = { thread: { number: 1, workerId: 1, isLoading: false }, doorbell, log: { text() {} }, serveInbox() {} }
         const thread = new ThreadSignals(parts, { signals: SignalState.open(workerData.handle) })
         thread.wait(200)
         parentPort.postMessage(thread.lastReceived)
       })`,
      {
        eval: true,
        workerData: {
          urls: [
            url('../../../host/state/signal-state.ts'),
            url('../../../host/state/doorbell.ts'),
            url('../../../host/worker/thread-signals.ts'),
          ],
          handle: signals.handle,
          words,
        },
      },
    )
    const received = new Promise((resolve, reject) => waiter.on('message', resolve).on('error', reject))
    const { Doorbell } = await import('../../../host/state/doorbell.ts')
    const bell = new Doorbell(words)
    // Asleep: it has found nothing and parked.
    while (!bell.isOwnerAsleep) await turn()
    signals.incoming(1).push(200)
    bell.ring()
    expect(await received).toBe(200)
  })
})

describe('waiting without parking the thread', () => {
  it('ends with the signal that is waited for, or any, once its handler has run', async () => {
    const { thread, signals } = newThread(1)
    const order: string[] = []
    thread.register(
      5,
      'worker1',
      newHandler(() => order.push('handler') > 0),
    )
    const waits = [thread.waitAsync(5), thread.waitAsync(undefined), thread.waitAsync(6)].map((wait, index) =>
      wait.then(() => order.push(`wait ${index}`)),
    )
    signals.incoming(1).push(5)
    thread.handlePending()
    await turn()
    expect(order).toEqual(['handler', 'wait 0', 'wait 1'])
    signals.incoming(1).push(6)
    thread.handlePending()
    await Promise.all(waits)
    expect(order.at(-1)).toBe('wait 2')
  })

  it('is over with the request that waits, for a signal that may never come', async () => {
    const { thread } = newThread(1)
    const [first, second] = [{}, {}]
    const waits = [thread.waitAsync(5, first), thread.waitAsync(undefined, first), thread.waitAsync(5, second)]
    expect(thread.waiting).toBe(3)
    thread.requestEnded(first)
    await Promise.all(waits.slice(0, 2))
    expect(thread.waiting).toBe(1)
  })
})
