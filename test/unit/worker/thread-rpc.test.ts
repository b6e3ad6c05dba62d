// RPC functions of one thread, with a master played by the test.
import { beforeEach, describe, expect, it } from 'vitest'
import type { FunctionOwner } from '../../../host/api/guest-function.ts'
import { GuestFunction } from '../../../host/api/guest-function.ts'
import type { MasterCalls, MasterCallTable } from '../../../host/api/master-calls.ts'
import { ApiError, GuestError, PolywsgiError } from '../../../host/errors.ts'
import { StateMap } from '../../../host/state/state-map.ts'
import { ThreadRpc } from '../../../host/worker/thread-rpc.ts'
import { decodeRpcCall, encodeRpcAnswerHead } from '../../../protocol/rpc-packets.ts'
import { testThread } from '../../support/api-context.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString()

type Body = (...args: string[]) => string | undefined | Promise<string | undefined>

/** A language whose functions are functions of the test. */
class TestLanguage implements FunctionOwner {
  readonly name = 'testish'
  readonly released: unknown[] = []

  rpc(handler: unknown, args: readonly Uint8Array[]): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const encode = (value: string | undefined) => (value === undefined ? undefined : bytes(value))
    const answer = (handler as Body)(...args.map((arg) => Buffer.from(arg).toString()))
    return answer instanceof Promise ? answer.then(encode) : encode(answer)
  }

  releaseFunction(handler: unknown): void {
    this.released.push(handler)
  }
}

describe('the RPC functions of a thread', () => {
  let language: TestLanguage
  let rpc: ThreadRpc
  let noticed: string[]
  let logged: string[]
  let calls: { name: string; args: unknown }[]
  let answer: (name: string, args: never) => unknown

  const make = (thread = testThread()): ThreadRpc => {
    const state = StateMap.create({ workers: 1, requestSlots: 1, requestAreaSize: 4096, responseRingSize: 4096 })
    const master: MasterCalls = {
      call: (name, args) => {
        calls.push({ name, args })
        return answer(name, args as never) as never
      },
      callAsync: async (name, args) => {
        calls.push({ name, args })
        return answer(name, args as never) as never
      },
      notify: (name, notice) => void noticed.push(`${name} ${JSON.stringify(notice)}`),
    }
    return new ThreadRpc(
      {
        state,
        thread,
        doorbell: state.doorbell(1),
        masterDoorbell: state.doorbell(0),
        master,
        log: { text: (line) => void logged.push(line), bytes: () => {} },
        serveInbox: () => {},
      },
      { rpcMax: 3, socketTimeoutMs: 1500 },
    )
  }
  const register = (name: string, body: Body, argc = 0): void => rpc.register(name, new GuestFunction(language, body), argc)

  beforeEach(() => {
    language = new TestLanguage()
    noticed = []
    logged = []
    calls = []
    answer = () => ({ found: false, value: undefined })
    rpc = make()
  })

  it('answer text in the bytes of their language, and nothing that is neither', async () => {
    const owner = (answer: unknown): FunctionOwner => ({
      name: 'odd',
      rpc: () => answer as string,
      encodeString: (text) => bytes(`<${text}>`),
    })
    rpc.register('text', new GuestFunction(owner('h\u00e9'), 0), 0)
    rpc.register('later', new GuestFunction(owner(Promise.resolve('x')), 0), 0)
    expect(text(rpc.call('text', []))).toBe('<h\u00e9>')
    expect(text(await rpc.callAsync('later', []))).toBe('<x>')
    for (const [answer, type] of [
      [5, 'number'],
      [null, 'null'],
      [{}, 'object'],
    ] as const) {
      rpc.register('odd', new GuestFunction(owner(answer), 0), 0)
      expect(() => rpc.call('odd', [])).toThrow(`plugin odd: rpc hook answered ${type} instead of bytes, text or undefined`)
    }
  })

  it('are called here, without the master', () => {
    register('join', (...args) => args.join('+'))
    expect(text(rpc.call('join', [bytes('a'), bytes(''), bytes('b')]))).toBe('a++b')
    expect(calls).toEqual([])
  })

  it('tell an empty answer from none', () => {
    register('empty', () => '')
    register('none', () => undefined)
    expect([rpc.call('empty', [])?.length, rpc.call('none', [])]).toEqual([0, undefined])
  })

  it('are told to the master by name, once each, and listed', () => {
    register('a', () => '1')
    register('b', () => '2')
    register('a', () => '3')
    expect(noticed).toEqual(['rpcRegistered {"name":"a"}', 'rpcRegistered {"name":"b"}'])
    expect(rpc.names()).toEqual(['a', 'b'])
    expect(logged).toEqual(['registered RPC function "a" on worker 1', 'registered RPC function "b" on worker 1'])
  })

  it('are replaced by one of the same name, whose old handler is given back', () => {
    const first = () => '1'
    register('f', first)
    register('f', () => '2')
    expect(text(rpc.call('f', []))).toBe('2')
    expect(language.released).toEqual([first])
  })

  it('are no more than the table takes, and one too many changes nothing but is given back', () => {
    for (const name of ['a', 'b', 'c']) register(name, () => name)
    const fourth = () => 'd'
    expect(() => register('d', fourth)).toThrow(
      "uwsgi.register_rpc(): unable to register rpc function 'd': there are 3 already (rpc-max)",
    )
    expect([rpc.names(), language.released]).toEqual([['a', 'b', 'c'], [fourth]])
    register('c', () => 'replaced')
    expect(text(rpc.call('c', []))).toBe('replaced')
  })

  it('take as many arguments as they said, or any number', () => {
    register('two', (...args) => args.join(), 2)
    register('any', (...args) => args.join())
    expect(text(rpc.call('two', [bytes('a'), bytes('b')]))).toBe('a,b')
    expect(() => rpc.call('two', [bytes('a')])).toThrow("rpc function 'two' takes 2 arguments, got 1")
    expect(() => rpc.call('two', [])).toThrow(ApiError)
    expect(text(rpc.call('any', [bytes('a'), bytes('b'), bytes('c')]))).toBe('a,b,c')
  })

  it('raise with their name and language, in the language of whoever called', () => {
    register('bad', () => {
      throw new GuestError('testish', 'no such luck', 'file.t:3')
    })
    let caught: unknown
    try {
      rpc.call('bad', [])
    } catch (error) {
      caught = error
    }
    expect(caught).toBeInstanceOf(GuestError)
    const { message, traceback, language: name } = caught as GuestError
    expect([message, traceback, name]).toEqual(["rpc function 'bad' (testish) raised: no such luck", 'file.t:3', 'testish'])
  })

  it('that are asynchronous cannot be waited for by a plain call, but by one that can', async () => {
    register('later', async (what) => `${what}!`)
    expect(() => rpc.call('later', [bytes('x')])).toThrow("rpc function 'later' is asynchronous")
    expect(text(await rpc.callAsync('later', [bytes('x')]))).toBe('x!')
    register('fails', async () => {
      throw new GuestError('testish', 'too late', '')
    })
    expect(() => rpc.call('fails', [])).toThrow(ApiError)
    await expect(rpc.callAsync('fails', [])).rejects.toThrow("rpc function 'fails' (testish) raised: too late")
  })

  it('may call each other, but not without end', () => {
    register('loop', () => text(rpc.call('loop', [])))
    expect(() => rpc.call('loop', [])).toThrow("rpc function 'loop': calls are nested 32 deep already")
    register('fine', () => 'fine')
    expect(text(rpc.call('fine', []))).toBe('fine')
  })

  it('that another thread has are called through the master, with memory of their own', () => {
    answer = () => ({ found: true, value: bytes('from elsewhere') })
    const large = new Uint8Array(1000).fill(65)
    expect(text(rpc.call('theirs', [large.subarray(0, 2)]))).toBe('from elsewhere')
    const { name, args } = calls[0] as { name: string; args: MasterCallTable['rpc']['args'] }
    expect([name, args.name, text(args.args[0]), args.args[0]?.buffer.byteLength]).toEqual(['rpc', 'theirs', 'AA', 2])
  })

  it('that nobody has answer nothing', () => {
    expect(rpc.call('nobody', [])).toBeUndefined()
  })

  it('run for other threads without asking the master again', async () => {
    register('sync', (a) => `s${a}`)
    register('async', async (a) => `a${a}`)
    expect(text((await rpc.run('sync', [bytes('1')])) as Uint8Array)).toBe('s1')
    expect(text((await rpc.run('async', [bytes('2')])) as Uint8Array)).toBe('a2')
    expect(rpc.run('not here', [])).toBeUndefined()
    expect(calls).toEqual([])
  })

  it('of a mule are registered as those of a worker', () => {
    rpc = make({ ...testThread(0), kind: 'mule', number: 3, muleId: 2 })
    register('f', () => 'x')
    expect(logged).toEqual(['registered RPC function "f" on mule 2'])
    expect(text(rpc.call('f', []))).toBe('x')
  })

  it('are announced by one of the threads that load the same apps', () => {
    rpc = make({ ...testThread(2), isLoading: true })
    register('f', () => 'x')
    expect([logged, noticed.length]).toEqual([[], 1])
  })
})

describe('a call of another server', () => {
  let reply: Uint8Array | undefined | PolywsgiError
  let asked: MasterCallTable['remote']['args'] | undefined
  const rpc = (): ThreadRpc => {
    const state = StateMap.create({ workers: 1, requestSlots: 1, requestAreaSize: 4096, responseRingSize: 4096 })
    const master: MasterCalls = {
      call: (_name, args) => {
        asked = args as MasterCallTable['remote']['args']
        if (reply instanceof PolywsgiError) throw reply
        return reply as never
      },
      callAsync: async () => reply as never,
      notify: () => {},
    }
    const log = { text: () => {}, bytes: () => {} }
    const bells = { doorbell: state.doorbell(1), masterDoorbell: state.doorbell(0) }
    return new ThreadRpc(
      { state, thread: testThread(), ...bells, master, log, serveInbox: () => {} },
      { rpcMax: 64, socketTimeoutMs: 1500 },
    )
  }

  it('sends name and arguments as a packet, and gives the result', () => {
    reply = Buffer.concat([encodeRpcAnswerHead(70000), Buffer.alloc(70000, 'x')])
    expect(rpc().callRemote('10.0.0.1:3031', 'größe', [bytes('a'), Uint8Array.of(0, 255)])?.length).toBe(70000)
    const call = decodeRpcCall(asked?.request.subarray(4) as Uint8Array)
    expect([text(call?.name), call?.args.map((arg) => [...arg])]).toEqual(['größe', [[97], [0, 255]]])
    expect([asked?.address, asked?.reply, asked?.timeoutMs, [...(asked?.request.subarray(0, 4) ?? [])]]).toEqual([
      '10.0.0.1:3031',
      'packet',
      1500,
      [173, 16, 0, 0],
    ])
  })

  it('answers nothing when the server says nothing', () => {
    reply = undefined
    expect(rpc().callRemote('n', 'f', [])).toBeUndefined()
  })

  it('fails when the answer is cut off or is none', () => {
    reply = Buffer.concat([encodeRpcAnswerHead(70000), Buffer.alloc(10)])
    expect(() => rpc().callRemote('n', 'f', [])).toThrow("node n, asked for 'f': the answer ends after 10 of 70000 bytes")
    reply = bytes('HTTP/1.1 400 Bad Request\r\n\r\n')
    expect(() => rpc().callRemote('n', 'f', [])).toThrow('is no answer to a call')
    reply = new PolywsgiError('API_IO', 'cut')
    expect(() => rpc().callRemote('n', 'f', [])).toThrow('cut')
  })

  it('is refused before it leaves when it does not fit a packet', () => {
    asked = undefined
    const args = new Array<Uint8Array>(255).fill(bytes(''))
    expect(() => rpc().callRemote('n', 'f', args)).toThrow('a call has at most 254 arguments, not 255')
    expect(() => rpc().callRemote('n', 'f', [new Uint8Array(65536)])).toThrow(
      'uwsgi.rpc(): the call does not fit a packet: array item 1 has 65536 bytes (max 65535)',
    )
    expect(asked).toBeUndefined()
  })
})
