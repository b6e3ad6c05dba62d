// What requests wait for: several at once, each with interests of its own; the master is played by the test.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { MasterCallTable } from '../../../host/api/master-calls.ts'
import type { RequestBody } from '../../../host/request/body.ts'
import type { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { Doorbell } from '../../../host/state/doorbell.ts'
import type { MasterPort } from '../../../host/worker/master-port.ts'
import { RunQueue } from '../../../host/worker/run-queue.ts'
import { ThreadWaits } from '../../../host/worker/thread-waits.ts'
import { KeptResponse, memoryRequest } from '../request/memory-request.ts'

type Question = MasterCallTable['waitFds']['args'] & PromiseWithResolvers<number>

/** Lets everything that is due by promises happen. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('what requests wait for', () => {
  let questions: Question[]
  let cancelled: number[]
  let parkedFor: MasterCallTable['waitFds']['args'][]
  let current: WsgiRequest | undefined
  let waits: ThreadWaits
  const own = new Set([100, 101, 102])

  const make = (cores: number): ThreadWaits => {
    const master = {
      callAsync: (_name: string, args: MasterCallTable['waitFds']['args']) => {
        const question = { ...args, ...Promise.withResolvers<number>() }
        questions.push(question)
        return question.promise
      },
      call: (_name: string, args: MasterCallTable['waitFds']['args']) => {
        parkedFor.push(args)
        return args.fds[0]?.fd ?? -1
      },
      notify: (_name: string, { id }: { id: number }) => void cancelled.push(id),
      serve: () => {},
    } as unknown as MasterPort
    const doorbell = new Doorbell(new Int32Array(new SharedArrayBuffer(64)))
    return new ThreadWaits({ cores, master, doorbell, current: () => current, owns: (fd) => own.has(fd) })
  }

  beforeEach(() => {
    questions = []
    cancelled = []
    parkedFor = []
    current = memoryRequest().request
    waits = make(10)
  })

  /** Registers nothing more and waits; true once it is over. */
  const begin = () => {
    const state = { isOver: false }
    const waiting = waits.settled().then(() => {
      state.isOver = true
    })
    return Object.assign(state, { waiting })
  }

  it('asks for all descriptors at once, says which was ready, and forgets them', async () => {
    waits.addFd('wait_fd_read', 100, 'read', 0)
    waits.addFd('wait_fd_write', 100, 'write', 0)
    waits.addFd('wait_fd_write', 101, 'write', 0)
    expect(waits.readyFd).toBe(-1)
    const wait = begin()
    expect(questions[0]).toMatchObject({
      fds: [
        { fd: 100, read: true, write: true },
        { fd: 101, read: false, write: true },
      ],
      timeoutMs: 0,
    })
    questions[0]?.resolve(101)
    await wait.waiting
    expect([waits.readyFd, waits.isTimedOut, cancelled]).toEqual([101, false, []])
    await waits.settled()
    expect(questions.length).toBe(1)
  })

  it('watches the client once, however often it is waited for in vain', async () => {
    const { request } = memoryRequest()
    let watches = 0
    Object.defineProperty(request, 'clientLeaves', {
      get: () => {
        watches += 1
        return new Promise(() => {})
      },
    })
    current = request
    for (let count = 0; count < 20; count += 1) {
      waits.addFd('wait_fd_read', request.connectionFd, 'read', 0)
      waits.addFd('wait_fd_read', 100, 'read', 0)
      const wait = begin()
      questions.at(-1)?.resolve(100)
      await wait.waiting
      expect(waits.readyFd).toBe(100)
    }
    await settle()
    expect(watches).toBe(1)
  })

  it('does not take for ready what came for a wait before, and was read since', async () => {
    const arrivals: PromiseWithResolvers<void>[] = []
    let isHere = false
    const body = {
      contentLength: -1,
      whole: undefined,
      isAtEnd: false,
      canReadNow: () => isHere,
      arrives: () => {
        const arrival = Promise.withResolvers<void>()
        arrivals.push(arrival)
        return arrival.promise
      },
      read: () => new Uint8Array(0),
      readAsync: async () => new Uint8Array(0),
    } as unknown as RequestBody
    const { request } = memoryRequest()
    Object.defineProperty(request, 'body', { value: body })
    current = request
    const waitForClientOr100 = () => {
      waits.addFd('wait_fd_read', request.connectionFd, 'read', 0)
      waits.addFd('wait_fd_read', 100, 'read', 0)
      return begin()
    }
    const first = waitForClientOr100()
    questions[0]?.resolve(100)
    await first.waiting
    const second = waitForClientOr100()
    arrivals[0]?.resolve()
    await settle()
    expect([second.isOver, arrivals.length]).toEqual([false, 2])
    isHere = true
    arrivals[1]?.resolve()
    await second.waiting
    expect(waits.readyFd).toBe(request.connectionFd)
  })

  it('keeps the requests apart', async () => {
    const [first, second] = [memoryRequest().request, memoryRequest().request]
    current = first
    waits.addFd('wait_fd_read', 100, 'read', 0)
    const one = begin()
    current = second
    expect(waits.readyFd).toBe(-1)
    waits.addFd('wait_fd_read', 101, 'read', 0)
    const two = begin()
    questions[1]?.resolve(101)
    await two.waiting
    expect([waits.readyFd, one.isOver]).toEqual([101, false])
    questions[0]?.resolve(100)
    await one.waiting
    current = first
    expect(waits.readyFd).toBe(100)
    waits.requestEnded(first)
    waits.requestEnded(second)
    expect(waits.size).toBe(0)
  })

  it('refuses what is none of the caller, and what is registered already', () => {
    expect(() => waits.addFd('wait_fd_read', 7, 'read', 0)).toThrow(
      'uwsgi.wait_fd_read(): unable to fd 7 to the event queue: it is no connection of this request',
    )
    waits.addFd('wait_fd_read', 100, 'read', 0)
    expect(() => waits.addFd('wait_fd_read', 100, 'read', 0)).toThrow(
      'unable to fd 100 to the event queue: it is waited for already, to read',
    )
  })

  it('raises what the master refuses', async () => {
    waits.addFd('wait_fd_read', 100, 'read', 0)
    const waiting = waits.settled()
    questions[0]?.reject(new Error('unable to fd 100'))
    await expect(waiting).rejects.toThrow('unable to fd 100')
    expect(cancelled).toEqual([])
  })

  it('ends with the request, and takes the question back', async () => {
    waits.addFd('wait_fd_read', 100, 'read', 0)
    waits.addTimeout(60_000)
    const wait = begin()
    waits.requestEnded(current as WsgiRequest)
    await wait.waiting
    expect([cancelled, waits.size]).toEqual([[questions[0]?.id], 0])
    // Whatever the master still says of it comes too late to matter.
    questions[0]?.resolve(100)
    await settle()
    expect(waits.readyFd).toBe(-1)
  })

  describe('for a time', () => {
    beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
    afterEach(() => void vi.useRealTimers())

    it('are over by the earliest of several, and say so', async () => {
      waits.addFd('wait_fd_read', 100, 'read', 9000)
      waits.addTimeout(4000)
      waits.addTimeout(20_000)
      const wait = begin()
      vi.advanceTimersByTime(3900)
      await settle()
      expect(wait.isOver).toBe(false)
      vi.advanceTimersByTime(200)
      await wait.waiting
      expect([waits.readyFd, waits.isTimedOut, cancelled]).toEqual([-1, true, [questions[0]?.id]])
      expect(vi.getTimerCount()).toBe(0)
    })

    it('leave no timer when a descriptor comes first', async () => {
      waits.addFd('wait_fd_read', 100, 'read', 9000)
      const wait = begin()
      questions[0]?.resolve(100)
      await wait.waiting
      expect([waits.isTimedOut, vi.getTimerCount()]).toEqual([false, 0])
    })
  })

  describe("for the client's connection", () => {
    const clientFd = 5
    class Client extends KeptResponse {
      readonly connectionFd = clientFd
      readonly leaving = Promise.withResolvers<void>()
      get clientLeaves(): Promise<void> {
        return this.leaving.promise
      }
    }
    const withClient = (body: RequestBody): Client => {
      const client = new Client()
      const { request } = memoryRequest({}, body)
      current = Object.assign(Object.create(request), {}) as WsgiRequest
      Object.defineProperties(current, {
        connectionFd: { value: clientFd },
        body: { value: body },
        clientLeaves: { get: () => client.clientLeaves },
        roomAppears: { value: undefined },
        clientGone: { value: false },
        needsRoom: { value: () => false },
      })
      return client
    }
    const arriving = (): RequestBody & { isAtEnd: boolean; arrival: PromiseWithResolvers<void> } => {
      const arrival = Promise.withResolvers<void>()
      return {
        arrival,
        isAtEnd: false,
        contentLength: 10,
        whole: undefined,
        read: () => new Uint8Array(0),
        readAsync: async () => new Uint8Array(0),
        canReadNow: () => false,
        arrives: () => arrival.promise,
      }
    }

    it('end when bytes of the body are there, and ask the master for the others alone', async () => {
      const body = arriving()
      withClient(body)
      waits.addFd('wait_fd_read', clientFd, 'read', 0)
      waits.addFd('wait_fd_read', 101, 'read', 0)
      const wait = begin()
      expect(questions[0]?.fds).toEqual([{ fd: 101, read: true, write: false }])
      await settle()
      expect(wait.isOver).toBe(false)
      body.canReadNow = () => true
      body.arrival.resolve()
      await wait.waiting
      expect([waits.readyFd, cancelled]).toEqual([clientFd, [questions[0]?.id]])
    })

    it('end when the client leaves, once its body has been read', async () => {
      const body = arriving()
      body.isAtEnd = true
      const client = withClient(body)
      waits.addFd('wait_fd_read', clientFd, 'read', 0)
      const wait = begin()
      body.arrival.resolve()
      await settle()
      expect(wait.isOver).toBe(false)
      client.leaving.resolve()
      await wait.waiting
      expect(waits.readyFd).toBe(clientFd)
    })

    it('end at once where there is room to write', async () => {
      withClient(arriving())
      waits.addFd('wait_fd_write', clientFd, 'write', 0)
      await waits.settled()
      expect(waits.readyFd).toBe(clientFd)
    })
  })

  describe('in a worker with one core, and outside of requests', () => {
    it('park the thread, the master for descriptors and the clock for time', () => {
      waits = make(1)
      waits.addFd('wait_fd_read', 100, 'read', 0)
      expect(waits.commit()).toBeUndefined()
      expect([waits.readyFd, parkedFor]).toEqual([100, [expect.objectContaining({ timeoutMs: 0 })]])
      waits.addTimeout(1)
      waits.park()
      expect([waits.readyFd, waits.isTimedOut]).toEqual([-1, true])
      // With nothing registered there is nothing to wait for.
      waits.park()
      expect(parkedFor.length).toBe(1)
      current = undefined
      waits = make(10)
      waits.addFd('wait_fd_write', 102, 'write', 5000)
      expect(waits.commit()).toBeUndefined()
      expect(parkedFor[1]?.timeoutMs).toBeGreaterThan(0)
    })
  })
})

describe('the run queue', () => {
  it('lets everybody go on in order, and those that come again after those that were there', async () => {
    const queue = new RunQueue()
    const order: string[] = []
    const run = async (name: string): Promise<void> => {
      for (let round = 1; round <= 3; round += 1) {
        await queue.turn()
        order.push(`${name}${round}`)
      }
    }
    await Promise.all([run('a'), run('b')])
    expect(order).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3'])
  })

  it('gives nobody two turns while another, who goes on some promises later, has one', async () => {
    const queue = new RunQueue()
    const order: string[] = []
    const run = async (name: string, promises: number): Promise<void> => {
      for (let round = 1; round <= 20; round += 1) {
        await queue.turn()
        for (let left = promises; left > 0; left -= 1) await undefined
        order.push(`${name}${round}`)
      }
    }
    await Promise.all([run('quick', 0), run('slow', 6)])
    expect(order).toEqual(Array.from({ length: 20 }, (_, index) => [`quick${index + 1}`, `slow${index + 1}`]).flat())
  })

  it('lets the event loop have turns while cores go on and on', async () => {
    const queue = new RunQueue()
    let isOver = false
    const core = async (): Promise<void> => {
      while (!isOver) await queue.turn()
    }
    const cores = [core(), core()]
    // Comes only from the event loop; and twice, since the first turn always waits for it.
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setTimeout(resolve, 1))
    isOver = true
    await Promise.all(cores)
  })

  it('shares a turn of the event loop among those of one moment', async () => {
    let now = 1000
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now)
    const scheduled = vi.spyOn(globalThis, 'setImmediate')
    try {
      const queue = new RunQueue()
      for (let turn = 0; turn < 10; turn += 1) await queue.turn()
      expect(scheduled).toHaveBeenCalledTimes(1)
      now += 0.25
      for (let turn = 0; turn < 10; turn += 1) await queue.turn()
      expect(scheduled).toHaveBeenCalledTimes(2)
    } finally {
      scheduled.mockRestore()
      clock.mockRestore()
    }
  })
})
