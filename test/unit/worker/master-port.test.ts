// A thread's line to the master, with a master that answers when and in which order a test says. The thread under test is this
// one: what it waits for has to have come before it parks.
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GuestError, PolywsgiError } from '../../../host/errors.ts'
import { Doorbell } from '../../../host/state/doorbell.ts'
import type { MasterToThread, ThreadToMaster } from '../../../host/worker/call-messages.ts'
import { MasterPort } from '../../../host/worker/master-port.ts'

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe("a thread's line to the master", () => {
  let master: MessagePort
  let bell: Doorbell
  let port: MasterPort
  let threadPort: MessagePort
  beforeEach(() => {
    const { port1, port2 } = new MessageChannel()
    master = port1
    threadPort = port2
    bell = new Doorbell(new Int32Array(new SharedArrayBuffer(64)))
    port = new MasterPort({ port: port2, doorbell: bell })
  })
  afterEach(() => {
    master.close()
    threadPort.close()
  })

  const say = (message: MasterToThread): void => {
    master.postMessage(message)
    bell.ring()
  }
  const heard = (): ThreadToMaster[] => {
    const messages: ThreadToMaster[] = []
    for (;;) {
      const received = receiveMessageOnPort(master) as { message: ThreadToMaster } | undefined
      if (received === undefined) return messages
      messages.push(received.message)
    }
  }
  const ask = (): boolean => port.call('isConnected', { fd: 1 })

  it('asks, and returns the answer', () => {
    say({ kind: 'answer', id: 1, outcome: { value: true } })
    expect(ask()).toBe(true)
    expect(heard()).toEqual([{ kind: 'call', id: 1, name: 'isConnected', args: { fd: 1 } }])
  })

  it('makes an error of an answer that is one, of the class it was', () => {
    say({ kind: 'answer', id: 1, outcome: { error: { code: 'API_IO', message: 'no route' } } })
    say({
      kind: 'answer',
      id: 2,
      outcome: { error: { code: 'GUEST_EXCEPTION', message: 'boom', guest: { language: 'lua', traceback: 'at line 1' } } },
    })
    expect(ask).toThrow(new PolywsgiError('API_IO', 'no route'))
    let error: unknown
    try {
      ask()
    } catch (thrown) {
      error = thrown
    }
    expect(error).toBeInstanceOf(GuestError)
    expect(error).toMatchObject({ code: 'GUEST_EXCEPTION', message: 'boom', language: 'lua', traceback: 'at line 1' })
  })

  it('runs functions for others while it waits, and calls within calls get their own answers in any order', () => {
    const order: string[] = []
    port.run = (name) => {
      order.push(`begins ${name}`)
      // The outer answer is there already, and comes first.
      const answer = ask()
      order.push(`ends ${name} ${answer}`)
      return bytes(name)
    }
    say({ kind: 'run', id: 7, name: 'inner', args: [] })
    say({ kind: 'answer', id: 1, outcome: { value: true } })
    say({ kind: 'answer', id: 2, outcome: { value: false } })
    expect(ask()).toBe(true)
    expect(order).toEqual(['begins inner', 'ends inner false'])
    expect(heard().at(-1)).toEqual({ kind: 'ran', id: 7, outcome: { value: bytes('inner') } })
  })

  it('is refused what cannot be posted, and works on', () => {
    expect(() => port.call('isConnected', { fd: (() => 1) as never })).toThrow(/could not be cloned/)
    say({ kind: 'answer', id: 2, outcome: { value: true } })
    expect(ask()).toBe(true)
  })

  it('tells the error of a function that throws, rejects, or answers what cannot be posted', async () => {
    const failures: (() => never | Promise<never>)[] = [
      () => {
        throw new GuestError('python', 'sync', 'File "app.py"')
      },
      async () => {
        throw new Error('async')
      },
      () => (() => 1) as never,
      async () => (() => 1) as never,
    ]
    port.run = (name) => failures[Number(name)]?.()
    for (const index of failures.keys()) say({ kind: 'run', id: index, name: String(index), args: [] })
    await port.finish()
    const outcomes = heard().flatMap((message) => (message.kind === 'ran' ? [[message.id, message.outcome]] : []))
    expect(Object.fromEntries(outcomes)).toEqual({
      0: { error: { code: 'GUEST_EXCEPTION', message: 'sync', guest: { language: 'python', traceback: 'File "app.py"' } } },
      1: { error: { code: 'API_REFUSED', message: 'async' } },
      2: { error: { code: 'API_REFUSED', message: expect.stringMatching(/could not be cloned/) } },
      3: { error: { code: 'API_REFUSED', message: expect.stringMatching(/could not be cloned/) } },
    })
  })

  it('answers, before its thread ends, what was asked of it until then', async () => {
    const slow = Promise.withResolvers<Uint8Array>()
    port.run = (name) => (name === 'slow' ? slow.promise : bytes('quick'))
    say({ kind: 'run', id: 1, name: 'slow', args: [] })
    say({ kind: 'run', id: 2, name: 'quick', args: [] })
    let isFinished = false
    const finished = port.finish().then(() => (isFinished = true))
    expect(heard()).toEqual([{ kind: 'ran', id: 2, outcome: { value: bytes('quick') } }])
    await turn()
    expect(isFinished).toBe(false)
    slow.resolve(bytes('slow'))
    await finished
    expect(heard()).toEqual([{ kind: 'ran', id: 1, outcome: { value: bytes('slow') } }])
  })

  it('runs functions in the event loop when nothing waits', async () => {
    const ran = Promise.withResolvers<string>()
    port.run = (name) => {
      ran.resolve(name)
      return undefined
    }
    say({ kind: 'run', id: 1, name: 'idle', args: [] })
    expect(await ran.promise).toBe('idle')
  })

  it('asks many things at once without parking, and hands each answer to who asked', async () => {
    const answers = [1, 2, 3].map((fd) => port.callAsync('isConnected', { fd }))
    expect(port.waiting).toBe(3)
    say({ kind: 'answer', id: 3, outcome: { value: true } })
    say({ kind: 'answer', id: 1, outcome: { error: { code: 'API_IO', message: 'no route' } } })
    say({ kind: 'answer', id: 2, outcome: { value: false } })
    await expect(answers[0]).rejects.toThrow(new PolywsgiError('API_IO', 'no route'))
    expect([await answers[1], await answers[2], port.waiting]).toEqual([false, true, 0])
  })

  it('takes the answer of a call that parks apart from those that do not', async () => {
    const later = port.callAsync('isConnected', { fd: 1 })
    say({ kind: 'answer', id: 1, outcome: { value: true } })
    say({ kind: 'answer', id: 2, outcome: { value: false } })
    expect(ask()).toBe(false)
    expect(await later).toBe(true)
  })

  it('says whether a function that it runs may wait: not while the thread is parked', async () => {
    const asked: [string, boolean][] = []
    const ran = Promise.withResolvers<void>()
    port.run = (name, _args, mayWait) => {
      asked.push([name, mayWait])
      if (mayWait) ran.resolve()
      return undefined
    }
    say({ kind: 'run', id: 1, name: 'parked', args: [] })
    say({ kind: 'answer', id: 1, outcome: { value: true } })
    ask()
    say({ kind: 'run', id: 2, name: 'free', args: [] })
    await ran.promise
    expect(asked).toEqual([
      ['parked', false],
      ['free', true],
    ])
  })

  it('passes notices on without waiting', () => {
    port.notify('rpcRegistered', { name: 'f' })
    expect(heard()).toEqual([{ kind: 'notice', name: 'rpcRegistered', notice: { name: 'f' } }])
  })
})
