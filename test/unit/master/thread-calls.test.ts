// The master's end of a thread's port, with a thread that says what a test has it say.
import { once } from 'node:events'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GuestError, PolywsgiError } from '../../../host/errors.ts'
import type { CallHandlers, NoticeHandlers } from '../../../host/master/call-handlers.ts'
import { ThreadCalls } from '../../../host/master/thread-calls.ts'
import { Doorbell } from '../../../host/state/doorbell.ts'
import type { MasterToThread, ThreadToMaster } from '../../../host/worker/call-messages.ts'

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

describe("the master's end of a thread's port", () => {
  let thread: MessagePort
  let calls: ThreadCalls
  let log: string[]
  let told: unknown[]
  let rpc: CallHandlers['rpc']
  let bell: Doorbell
  let onTold: () => void
  beforeEach(() => {
    const { port1, port2 } = new MessageChannel()
    thread = port2
    log = []
    told = []
    onTold = () => {}
    rpc = () => ({ found: true, value: undefined })
    bell = new Doorbell(new Int32Array(new SharedArrayBuffer(64)))
    const handlers: Pick<CallHandlers, 'rpc'> = { rpc: (args, caller) => rpc(args, caller) }
    const notices: Pick<NoticeHandlers, 'rpcRegistered' | 'stop'> = {
      rpcRegistered: ({ name }, caller) => {
        told.push([name, caller.thread])
        onTold()
      },
      stop: () => {
        throw new Error('the handler is broken')
      },
    }
    calls = new ThreadCalls({
      port: port1,
      doorbell: bell,
      caller: { thread: 3 },
      name: () => 'mule 1',
      log: (line) => log.push(line),
      calls: handlers as CallHandlers,
      notices: notices as NoticeHandlers,
    })
  })
  afterEach(() => {
    calls.close()
    thread.close()
  })

  const say = (message: ThreadToMaster): void => thread.postMessage(message)
  const call = (id: number): void => say({ kind: 'call', id, name: 'rpc', args: { name: 'f', args: [] } })
  const next = async (): Promise<MasterToThread> => (await once(thread, 'message'))[0]

  it('answers a call with what its handler returns, and rings', async () => {
    rpc = async ({ name }, caller) => ({ found: true, value: bytes(`${name} for ${caller.thread}`) })
    const { sequence } = bell
    call(1)
    expect(await next()).toEqual({ kind: 'answer', id: 1, outcome: { value: { found: true, value: bytes('f for 3') } } })
    expect(bell.sequence).toBeGreaterThan(sequence)
  })

  it('answers with an error when the handler throws, when there is none, and when its answer cannot be posted', async () => {
    rpc = () => {
      throw new GuestError('lua', 'raised', 'at line 3')
    }
    call(1)
    const guest = { language: 'lua', traceback: 'at line 3' }
    expect(await next()).toEqual({
      kind: 'answer',
      id: 1,
      outcome: { error: { code: 'GUEST_EXCEPTION', message: 'raised', guest } },
    })
    say({ kind: 'call', id: 2, name: 'nothing' as 'rpc', args: { name: 'f', args: [] } })
    expect(await next()).toMatchObject({ id: 2, outcome: { error: { code: 'API_REFUSED' } } })
    rpc = () => ({ found: true, value: (() => 1) as never })
    call(3)
    expect(await next()).toMatchObject({
      id: 3,
      outcome: { error: { code: 'API_REFUSED', message: expect.stringMatching(/could not be cloned/) } },
    })
  })

  it('logs what a handler of notices throws, and goes on', async () => {
    say({ kind: 'notice', name: 'stop', notice: {} })
    say({ kind: 'notice', name: 'rpcRegistered', notice: { name: 'f' } })
    await new Promise<void>((resolve) => (onTold = resolve))
    expect(told).toEqual([['f', 3]])
    expect(log).toEqual([expect.stringMatching(/^what mule 1 told \(stop\) could not be heeded: Error: the handler is broken\n/)])
  })

  it('takes what the thread has said so far when it is to catch up', () => {
    for (const name of ['f', 'g']) say({ kind: 'notice', name: 'rpcRegistered', notice: { name } })
    calls.catchUp()
    expect(told).toEqual([
      ['f', 3],
      ['g', 3],
    ])
  })

  it('has functions run, and gives each caller its own answer or error', async () => {
    const answers = ['one', 'two', 'three'].map((name) => calls.run(name, [bytes(name)]))
    answers.map((answer) => answer.catch(() => {}))
    const asked = [await next(), await next(), await next()]
    expect(asked).toMatchObject([{ name: 'one', args: [bytes('one')] }, { name: 'two' }, { name: 'three' }])
    const [one, two, three] = asked.map(({ id }) => id) as [number, number, number]
    say({ kind: 'ran', id: three, outcome: { value: undefined } })
    say({ kind: 'ran', id: two, outcome: { error: { code: 'API_REFUSED', message: 'two failed' } } })
    say({ kind: 'ran', id: one, outcome: { value: bytes('1') } })
    expect(await answers[0]).toEqual(bytes('1'))
    await expect(answers[1]).rejects.toThrow(new PolywsgiError('API_REFUSED', 'two failed'))
    expect(await answers[2]).toBeUndefined()
  })

  it('refuses arguments that cannot be posted, and leaves nobody waiting', async () => {
    await expect(calls.run('f', [(() => 1) as never])).rejects.toThrow(/^the arguments of f cannot be handed to a thread: /)
    // Nothing is left that the end of the thread would reject unheard.
    calls.close()
    await new Promise((resolve) => setImmediate(resolve))
  })

  it('refuses, by the name of its thread, what was asked of a thread that ends, and what is asked of it later', async () => {
    const waiting = calls.run('f', [])
    calls.close()
    const died = { code: 'WORKER_DIED', message: expect.stringMatching(/^mule 1, which was to run .*, has ended$/) }
    await expect(waiting).rejects.toMatchObject(died)
    await expect(calls.run('g', [])).rejects.toMatchObject(died)
  })

  it('heeds what a thread has said right before its end, and answers nobody any more', async () => {
    const waiting = calls.run('f', [])
    const { id } = await next()
    let isAsked = false
    rpc = () => {
      isAsked = true
      return { found: false, value: undefined }
    }
    say({ kind: 'notice', name: 'rpcRegistered', notice: { name: 'last words' } })
    call(1)
    say({ kind: 'ran', id, outcome: { value: bytes('done') } })
    calls.close()
    expect(told).toEqual([['last words', 3]])
    expect(await waiting).toEqual(bytes('done'))
    expect(isAsked).toBe(false)
  })

  it('keeps to itself the answer of a handler that a thread did not live to hear', async () => {
    const working = Promise.withResolvers<void>()
    const begun = Promise.withResolvers<void>()
    rpc = async () => {
      begun.resolve()
      await working.promise
      return { found: false, value: undefined }
    }
    call(1)
    await begun.promise
    calls.close()
    const { sequence } = bell
    working.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    expect(bell.sequence).toBe(sequence)
  })
})
