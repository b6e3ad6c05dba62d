// Messages as a thread sends them and a mule waits for them: who gets what, what goes on meanwhile, and who is refused.
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { MessageQueues } from '../../../host/state/message-queues.ts'
import { StateMap } from '../../../host/state/state-map.ts'
import { ThreadMules } from '../../../host/worker/thread-mules.ts'
import type { WaitingMuleData } from './fixtures/waiting-mule.ts'

const workers = 1
const farms = [
  { name: 'thumbs', mules: [1, 2] },
  { name: 'mails', mules: [2] },
]
const bytes = (text: string) => new TextEncoder().encode(text)
const text = (message: Uint8Array | undefined) => message && new TextDecoder().decode(message)

const world = (mules = 2) => ({
  state: StateMap.create({ workers, otherThreads: mules, requestSlots: 4, requestAreaSize: 4096, responseRingSize: 4096 }),
  queues: MessageQueues.create({ mules, farms: farms.length, capacity: 0 }),
})

interface Meanwhile {
  serveInbox?: () => void
  handleSignals?: () => boolean
  leave?: () => void
}

const threadOf = ({ state, queues }: ReturnType<typeof world>, number: number, meanwhile: Meanwhile = {}) => {
  const absent = {} as never
  return new ThreadMules(
    {
      state,
      thread: {
        kind: number <= workers ? 'worker' : 'mule',
        number,
        seat: number,
        workerId: number <= workers ? number : 0,
        muleId: Math.max(0, number - workers),
        spoolerId: 0,
        isLoading: false,
      },
      doorbell: state.doorbell(number),
      masterDoorbell: state.doorbell(0),
      master: absent,
      log: absent,
      serveInbox: meanwhile.serveInbox ?? (() => {}),
    },
    {
      queues,
      farms,
      handleSignals: meanwhile.handleSignals ?? (() => false),
      leave: meanwhile.leave ?? (() => {}),
    },
  )
}

const atOnce = { signals: true, farms: true, timeoutMs: 0 }

describe('a mule that is to leave', () => {
  it('takes no message any more, and ends where it waits for one', () => {
    const all = world()
    threadOf(all, 1).send(bytes('for 1'), 1)
    let hasLeft = false
    const leave = (): never => {
      hasLeft = true
      throw new Error('it has left')
    }
    const mule = threadOf(all, 2, { leave })
    all.state.seats.setLeaving(2)
    expect(mule.take()).toBeUndefined()
    expect(() => mule.receive(atOnce)).toThrow('it has left')
    expect(hasLeft).toBe(true)
    expect(text(threadOf(all, 3).receive(atOnce))).toBeUndefined()
  })
})

describe('a thread that sends to mules', () => {
  it('reaches one mule, any mule, or one of a farm', () => {
    const all = world()
    const sender = threadOf(all, 1)
    expect(sender.send(bytes('for 2'), 2)).toBe(true)
    expect(sender.send(bytes('for mails'), 'mails')).toBe(true)
    expect(sender.send(bytes('for any'), 0)).toBe(true)
    expect(text(threadOf(all, 2).receive(atOnce))).toBe('for any')
    const second = threadOf(all, 3)
    expect([second.receive(atOnce), second.receive(atOnce)].map(text).sort()).toEqual(['for 2', 'for mails'])
    expect(second.receive(atOnce)).toBeUndefined()
  })

  it.each([
    [{ target: 9 }, 'uwsgi.mule_msg(): there is no mule 9: they are numbered from 1 to 2'],
    [{ target: 'nobody' }, "uwsgi.mule_msg(): there is no farm 'nobody': the farms are thumbs, mails"],
    [{ target: 'nobody', name: 'farm_msg' }, "uwsgi.farm_msg(): there is no farm 'nobody': the farms are thumbs, mails"],
    [{ target: 1, size: 65_537 }, 'uwsgi.mule_msg(): a message has at most 65536 bytes, this one has 65537'],
  ])(
    'is refused with the reason: %j',
    ({ target, name, size = 5 }: { target: number | string; name?: string; size?: number }, message) => {
      const all = world()
      const sender = threadOf(all, 1)
      expect(() => sender.send(new Uint8Array(size), target, name)).toThrow(
        expect.objectContaining({ code: 'API_REFUSED', message }),
      )
      expect(all.queues.pool.isEmpty && all.queues.mule(1)?.isEmpty && all.queues.farm(0)?.isEmpty).toBe(true)
    },
  )

  it('is refused where no mule is configured', () => {
    expect(() => threadOf(world(0), 1).send(bytes('hello'), undefined)).toThrow('uwsgi.mule_msg(): no mule is configured')
  })

  it('receives nothing itself, and is in no farm', () => {
    const worker = threadOf(world(), 1)
    expect(() => worker.receive(atOnce)).toThrow('uwsgi.mule_get_msg(): only a mule receives messages')
    expect(() => worker.receiveFromFarm()).toThrow('uwsgi.farm_get_msg(): only a mule receives messages')
    expect([worker.isInFarm('thumbs'), worker.isInFarm(undefined)]).toEqual([false, false])
  })
})

describe('a mule that waits for messages', () => {
  it('knows its farms', () => {
    const mule = threadOf(world(), 2)
    expect(['thumbs', 'mails', 'nobody', undefined].map((name) => mule.isInFarm(name))).toEqual([true, false, false, true])
  })

  it('leaves messages to farms alone unless it asks for them', () => {
    const all = world()
    threadOf(all, 1).send(bytes('to the farm'), 'thumbs')
    const mule = threadOf(all, 2)
    expect(mule.receive({ ...atOnce, farms: false })).toBeUndefined()
    expect(text(mule.receive(atOnce))).toBe('to the farm')
  })

  it('takes only messages to its farms with receiveFromFarm', () => {
    const all = world()
    threadOf(all, 1).send(bytes('to any'), undefined)
    threadOf(all, 1).send(bytes('to the farm'), 'thumbs')
    expect(text(threadOf(all, 2).receiveFromFarm())).toBe('to the farm')
  })

  it('is told that it belongs to no farm instead of waiting for ever', () => {
    const all = world(3)
    expect(() => threadOf(all, 4).receiveFromFarm()).toThrow('uwsgi.farm_get_msg(): mule 3 belongs to no farm')
  })

  it('lets no busy queue keep the others waiting', () => {
    const all = world()
    const sender = threadOf(all, 1)
    for (let n = 0; n < 5; n += 1) sender.send(bytes('own'), 1)
    sender.send(bytes('pool'), undefined)
    sender.send(bytes('farm'), 'thumbs')
    const mule = threadOf(all, 2)
    const first = [0, 1, 2].map(() => text(mule.receive(atOnce)))
    expect(first.sort()).toEqual(['farm', 'own', 'pool'])
  })

  it('serves the master and handles signals meanwhile, and sees what they bring about', () => {
    const all = world()
    const seen: string[] = []
    const mule = threadOf(all, 2, {
      serveInbox: () => void seen.push('inbox'),
      handleSignals: () => {
        seen.push('signals')
        if (seen.length < 6) return true
        threadOf(all, 1).send(bytes('from a handler'), 1)
        return false
      },
    })
    expect(text(mule.receive({ signals: true, farms: true, timeoutMs: -1 }))).toBe('from a handler')
    expect(seen).toEqual(['inbox', 'signals', 'inbox', 'signals', 'inbox', 'signals'])
  })

  it('leaves signals alone when it is told to', () => {
    const all = world()
    threadOf(all, 1).send(bytes('hello'), 1)
    const mule = threadOf(all, 2, {
      handleSignals: () => {
        throw new Error('signals were handled')
      },
    })
    expect(text(mule.receive({ ...atOnce, signals: false }))).toBe('hello')
  })

  it('gives up when the time is over', () => {
    const all = world()
    expect(threadOf(all, 2).receive({ signals: true, farms: true, timeoutMs: 5 })).toBeUndefined()
  })

  it('is woken from its wait by each message, in a thread of its own', async () => {
    const all = world()
    const data: WaitingMuleData = { state: all.state.handle, queues: all.queues.handle, number: 2, muleId: 1 }
    const mule = new Worker(new URL('fixtures/waiting-mule.ts', import.meta.url), { workerData: data })
    const told: string[] = []
    const waiting = new Promise((resolve) => mule.once('message', resolve))
    const over = new Promise((resolve, reject) => mule.on('exit', resolve).on('error', reject))
    await waiting
    mule.on('message', (line: string) => void told.push(line))
    const bell = all.state.doorbell(2)
    const sender = threadOf(all, 1)
    for (const [message, target] of [
      ['one', 1],
      ['two', undefined],
      ['three', 'thumbs'],
      ['end', 1],
    ] as const) {
      while (!bell.isOwnerAsleep) await new Promise((resolve) => setImmediate(resolve))
      sender.send(bytes(message), target)
    }
    await over
    expect(told).toEqual(['mule 1 got one', 'mule 1 got two', 'mule 1 got three', 'mule 1 got end'])
  })
})
