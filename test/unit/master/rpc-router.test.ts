// Who runs a function that the calling thread does not have, and what becomes of a call whose thread dies.
import { beforeEach, describe, expect, it } from 'vitest'
import { GuestError } from '../../../host/errors.ts'
import { RpcRouter } from '../../../host/master/rpc-router.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : Buffer.from(value).toString()

describe('the RPC router', () => {
  let asked: { thread: number; name: string; answer: PromiseWithResolvers<Uint8Array | undefined> }[]
  let timers: { milliseconds: number; call: () => void; isTakenBack: boolean }[]
  let unready: Set<number>
  let router: RpcRouter

  beforeEach(() => {
    asked = []
    timers = []
    unready = new Set()
    router = new RpcRouter({
      ask: (thread, name) => {
        const answer = Promise.withResolvers<Uint8Array | undefined>()
        asked.push({ thread, name, answer })
        return answer.promise
      },
      isReady: (thread) => !unready.has(thread),
      timeoutMs: 2000,
      after: (milliseconds, call) => {
        const timer = { milliseconds, call, isTakenBack: false }
        timers.push(timer)
        return () => {
          timer.isTakenBack = true
        }
      },
    })
  })

  it('knows nobody at first', async () => {
    expect(await router.call('f', [], 1)).toEqual({ found: false, value: undefined })
  })

  it("calls the embedding program's functions with bytes, and takes bytes or text", async () => {
    router.register('join', (...args) => args.map((arg) => text(arg)).join('+'))
    router.register('raw', async () => Uint8Array.of(0, 255))
    const joined = await router.call('join', [bytes('a'), bytes('b')], 1)
    expect([joined.found, text(joined.value)]).toEqual([true, 'a+b'])
    expect((await router.call('raw', [], 0)).value).toEqual(Uint8Array.of(0, 255))
  })

  it("says whose function raised, and answered with what is no answer, and keeps the program's files to itself", async () => {
    router.register('bad', () => {
      throw new Error('no')
    })
    router.register('odd', () => 42 as never)
    await expect(router.call('bad', [], 1)).rejects.toThrow("rpc function 'bad' of the embedding program raised: no")
    await expect(router.call('odd', [], 1)).rejects.toThrow("rpc function 'odd' must answer with bytes or text, not number")
    const error = await router.call('bad', [], 1).catch((raised: unknown) => raised)
    expect([error instanceof GuestError, (error as GuestError).traceback]).toEqual([true, ''])
  })

  it('refuses names that no guest could say', () => {
    expect(() => router.register('', () => '')).toThrow('has 1 to 255 bytes, not 0')
    expect(() => router.register('é'.repeat(128), () => '')).toThrow('has 1 to 255 bytes, not 256')
  })

  it('asks a thread that has the function, never the one that calls', async () => {
    router.registered(1, 'f')
    router.registered(2, 'f')
    const call = router.call('f', [], 1)
    expect(asked.map(({ thread, name }) => [thread, name])).toEqual([[2, 'f']])
    asked[0]?.answer.resolve(bytes('two'))
    expect(text((await call).value)).toBe('two')
    expect(timers[0]?.isTakenBack).toBe(true)
    unready.add(2)
    expect((await router.call('f', [], 1)).found).toBe(false)
  })

  it('prefers the thread with the fewest calls before this one, then the first', () => {
    for (const thread of [3, 1, 2]) router.registered(thread, 'f')
    for (let call = 0; call < 4; call += 1) void router.call('f', [], 0)
    expect(asked.map(({ thread }) => thread)).toEqual([1, 2, 3, 1])
  })

  it("prefers the embedding program's function to a thread's", async () => {
    router.registered(1, 'f')
    router.register('f', () => 'mine')
    expect(text((await router.call('f', [], 0)).value)).toBe('mine')
    expect(asked).toEqual([])
    expect(router.names()).toEqual(['f'])
  })

  it('refuses what a thread was asked when it ends, and asks it no more', async () => {
    router.registered(1, 'f')
    const call = router.call('f', [], 0)
    router.threadEnded(1)
    await expect(call).rejects.toThrow('thread 1, which ran the rpc function, has ended')
    asked[0]?.answer.resolve(bytes('too late'))
    expect(await router.call('f', [], 0)).toEqual({ found: false, value: undefined })
    expect([router.names(), timers[0]?.isTakenBack]).toEqual([[], true])
  })

  it('gives up on a thread that does not answer in time', async () => {
    router.registered(1, 'f')
    const call = router.call('f', [], 0)
    expect(timers[0]?.milliseconds).toBe(2000)
    timers[0]?.call()
    await expect(call).rejects.toThrow("rpc function 'f' did not answer in 2 seconds")
  })

  it("hands a function's own error on", async () => {
    router.registered(1, 'f')
    const call = router.call('f', [], 0)
    asked[0]?.answer.reject(new GuestError('lua', "rpc function 'f' (lua) raised: x", 'trace'))
    await expect(call).rejects.toThrow("rpc function 'f' (lua) raised: x")
  })
})
