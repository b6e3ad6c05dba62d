// Routing in the master: every kind of receiver, who is woken, what is dropped, and who listens in the master itself.
import { describe, expect, it } from 'vitest'
import { SignalRouter } from '../../../host/master/signal-router.ts'
import { SignalState } from '../../../host/state/signal-state.ts'
import { type SignalShape, signalPools } from '../../../host/state/signal-target.ts'

/** Workers 1 to 3, mules 4 to 6, spooler 7. */
const shape: SignalShape = { workers: 3, mules: 3, spoolers: 1, farms: [{ name: 'mail', mules: [1, 3] }], bufferSize: 4 }
const allThreads = [1, 2, 3, 4, 5, 6, 7]

const create = () => {
  const signals = SignalState.create(shape)
  const rung: number[] = []
  const lines: string[] = []
  const alive = new Set(allThreads)
  const asleep = new Set(allThreads)
  const running = new Map<number, number>()
  const clock = { nowMs: 0 }
  const router = new SignalRouter({
    signals,
    doorbell: (thread) => ({ ring: () => void rung.push(thread), isOwnerAsleep: asleep.has(thread) }) as never,
    isAlive: (thread) => alive.has(thread),
    running: (workerId) => running.get(workerId) ?? 0,
    log: (line) => void lines.push(line),
    now: () => clock.nowMs,
  })
  const register = (receiver: string, threads: readonly number[] = allThreads, signum = 9): void => {
    for (const thread of threads) signals.table.register(thread, signum, receiver, 0)
  }
  /** What waits, by queue: `worker 1: 9 9`. */
  const waiting = (): string[] => {
    const found: string[] = []
    const look = (name: string, take: () => number): void => {
      const numbers: number[] = []
      for (let signum = take(); signum >= 0; signum = take()) numbers.push(signum)
      if (numbers.length > 0) found.push(`${name}: ${numbers.join(' ')}`)
    }
    for (const thread of allThreads) look(`${thread}`, () => signals.incoming(thread).take())
    for (const [index, { name }] of signalPools(shape).entries()) look(name, () => signals.pools[index]!.ring.take())
    return found
  }
  return { signals, router, clock, rung, lines, alive, asleep, running, register, waiting }
}

describe('a signal', () => {
  it.each([
    ['', ['workers pool: 9'], [1]],
    ['worker', ['workers pool: 9'], [1]],
    ['worker0', ['workers pool: 9'], [1]],
    ['workers', ['1: 9', '2: 9', '3: 9'], [1, 2, 3]],
    ['active-workers', ['1: 9', '2: 9', '3: 9'], [1, 2, 3]],
    ['worker2', ['2: 9'], [2]],
    ['mule', ['mules pool: 9'], [4, 5, 6]],
    ['mule0', ['mules pool: 9'], [4, 5, 6]],
    ['mules', ['4: 9', '5: 9', '6: 9'], [4, 5, 6]],
    ['mule2', ['5: 9'], [5]],
    ['farm_mail', ['farm mail: 9'], [4, 6]],
    ['farm1', ['farm mail: 9'], [4, 6]],
    ['spooler', ['spoolers pool: 9'], [7]],
    ['subscribed', [], []],
  ])('for %j goes to %j and wakes %j', (receiver, queues, woken) => {
    const { router, register, waiting, rung, lines, signals } = create()
    register(receiver)
    expect(router.route(9)).toBe(true)
    expect(waiting()).toEqual(queues)
    expect(rung).toEqual(woken)
    expect(lines).toEqual([])
    expect([signals.routed, signals.unrouted]).toEqual([queues.length, 0])
  })

  it('that a thread has raised is routed when the master looks, in the order it was raised', () => {
    const { router, register, waiting, signals } = create()
    register('worker1', [1], 1)
    register('worker1', [1], 2)
    signals.outgoing(5).push(2)
    signals.outgoing(5).push(1)
    signals.outgoing(2).push(1)
    expect(router.drain()).toBe(false)
    expect(waiting()).toEqual(['1: 1 2 1'])
    expect(signals.routed).toBe(3)
  })

  it('for workers that are down waits for them; for active ones it passes them over', () => {
    const { router, register, waiting, alive, lines, signals } = create()
    alive.delete(2)
    register('workers')
    router.route(9)
    expect(waiting()).toEqual(['1: 9', '2: 9', '3: 9'])
    register('active-workers')
    router.route(9)
    expect(waiting()).toEqual(['1: 9', '3: 9'])
    alive.clear()
    expect(router.route(9)).toBe(false)
    expect(lines).toEqual(['could not deliver signal 9: no worker is active'])
    expect(signals.unrouted).toBe(1)
  })

  it('that nobody registered comes to the workers all the same, as in uWSGI', () => {
    const { router, lines, signals } = create()
    expect(router.route(9)).toBe(true)
    expect(signals.pools[0]?.ring.take()).toBe(9)
    expect(lines).toEqual([])
    expect([signals.routed, signals.unrouted]).toEqual([1, 0])
  })

  it('whose queue is full is dropped and counted; the log says so once a second at most', () => {
    const { router, register, lines, signals, clock } = create()
    register('worker2')
    for (let time = 0; time < 4; time += 1) expect(router.route(9)).toBe(true)
    expect([router.route(9), router.route(9)]).toEqual([false, false])
    const said = [
      '*** SIGNAL QUEUE IS FULL: 4 signals wait (you can tune it with --signal-bufsize) ***',
      'could not deliver signal 9 to worker 2',
    ]
    expect(lines).toEqual(said)
    expect([signals.routed, signals.unrouted]).toEqual([4, 2])
    signals.incoming(2).take()
    clock.nowMs = 999
    expect([router.route(9), router.route(9)]).toEqual([true, false])
    expect(lines).toEqual(said)
    clock.nowMs = 1000
    expect(router.route(9)).toBe(false)
    expect(lines).toEqual([...said, ...said])
  })

  it('for a full pool names the pool', () => {
    const { router, register, lines } = create()
    register('')
    for (let time = 0; time < 5; time += 1) router.route(9)
    expect(lines.at(-1)).toBe('could not deliver signal 9 to workers pool')
  })
})

describe('one of the workers', () => {
  it('that sleeps and is idle is woken, and those that are awake look once more', () => {
    const { router, register, rung, asleep, running } = create()
    register('')
    running.set(1, 2)
    asleep.delete(2)
    router.route(9)
    expect(rung).toEqual([2, 3])
  })

  it('is not known to be idle: all are woken, since one may wait inside a call', () => {
    const { router, register, rung, running, signals } = create()
    register('')
    running.set(1, 1)
    running.set(3, 1)
    signals.setHandling(2, 7)
    router.route(9)
    expect(rung).toEqual([1, 2, 3])
  })

  it('that has the handler gets the signal when others lack it: the least loaded of those', () => {
    const { router, register, waiting, running, asleep, rung } = create()
    register('', [2, 3])
    running.set(2, 3)
    running.set(3, 1)
    asleep.clear()
    router.route(9)
    expect(waiting()).toEqual(['3: 9'])
    expect(rung).toEqual([3])
  })

  it('that is yet to load the apps gets it when none that is up has the handler', () => {
    const { router, register, waiting, alive } = create()
    register('', [3])
    alive.delete(3)
    router.route(9)
    expect(waiting()).toEqual(['3: 9'])
  })

  it('will take it from the pool when none is up', () => {
    const { router, register, waiting, alive, signals } = create()
    register('')
    for (const thread of [1, 2, 3]) {
      alive.delete(thread)
      signals.threadEnded(thread)
    }
    expect(router.route(9)).toBe(true)
    expect(waiting()).toEqual(['workers pool: 9'])
  })

  it('is not found when all are up and none has the handler', () => {
    const { router, register, waiting, lines, signals } = create()
    register('', [4])
    expect(router.route(9)).toBe(false)
    expect(lines).toEqual(['error managing signal 9: none of the workers pool has a handler'])
    expect(signals.unrouted).toBe(1)
    expect(waiting()).toEqual([])
  })
})

describe('who listens in the master', () => {
  it('hears the signal beside its receivers, until it ends that', () => {
    const { router, register, waiting } = create()
    register('worker1')
    const heard: number[] = []
    const listener = (signum: number): void => void heard.push(signum)
    const end = router.onSignal(9, listener)
    router.onSignal(9, listener)
    router.route(9)
    end()
    end()
    router.route(9)
    router.route(8)
    expect(heard).toEqual([9, 9, 9])
    expect(waiting()).toEqual(['1: 9 9', 'workers pool: 8'])
  })

  it('is receiver enough', () => {
    const { router, lines, signals } = create()
    router.onSignal(0, () => {})
    expect(router.route(0)).toBe(true)
    expect([signals.routed, signals.unrouted, lines]).toEqual([1, 0, []])
  })

  it('and throws keeps nobody else from it', () => {
    const { router, register, waiting, lines } = create()
    register('worker1')
    const heard: number[] = []
    router.onSignal(9, () => {
      throw new Error('boom')
    })
    router.onSignal(9, (signum) => void heard.push(signum))
    expect(router.route(9)).toBe(true)
    expect(heard).toEqual([9])
    expect(waiting()).toEqual(['1: 9'])
    expect(lines[0]).toContain('Error: boom')
    expect(lines[1]).toBe('error managing signal 9 on the master')
  })

  it('may raise signals itself, without end, and the master still gets its turn', () => {
    const { router, signals } = create()
    const ends: boolean[] = []
    router.onSignal(9, () => void signals.outgoing(1).push(9))
    signals.outgoing(1).push(9)
    for (let look = 0; look < 5; look += 1) ends.push(router.drain())
    expect(signals.routed).toBe(5)
    expect(ends).toEqual([false, false, false, false, false])
  })

  it('makes the master look again later when there was much to route', () => {
    const signals = SignalState.create({ ...shape, bufferSize: 512 })
    const router = new SignalRouter({
      signals,
      doorbell: () => ({ ring: () => {}, isOwnerAsleep: false }) as never,
      isAlive: () => true,
      running: () => 0,
      log: () => {},
    })
    for (let time = 0; time < 300; time += 1) signals.outgoing(1).push(1)
    expect(router.drain()).toBe(true)
    expect(router.drain()).toBe(false)
    expect(signals.routed).toBe(300)
  })
})
