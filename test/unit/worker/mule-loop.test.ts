// The loop of a mule without a program: one message after the other, to one plugin after the other, whatever those do.
import { describe, expect, it } from 'vitest'
import { GuestError } from '../../../host/errors.ts'
import type { Plugin } from '../../../host/plugin/plugin.ts'
import { Doorbell } from '../../../host/state/doorbell.ts'
import { MuleLoop } from '../../../host/worker/mule-loop.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await turn()
}

const mule = (plugins: readonly Plugin[], handleSignals: () => boolean = () => false) => {
  const doorbell = new Doorbell(new Int32Array(new SharedArrayBuffer(64)))
  const queue: Uint8Array[] = []
  const lines: string[] = []
  const fatal: string[] = []
  const loop = new MuleLoop({
    muleId: 3,
    doorbell,
    take: () => queue.shift(),
    handleSignals,
    plugins,
    log: { text: (line) => void lines.push(line), bytes: () => {} },
    onFatal: (reason) => void fatal.push(reason),
  })
  const send = (text: string): void => {
    queue.push(new TextEncoder().encode(text))
    doorbell.ring()
  }
  return { loop, send, lines, fatal, queue }
}

const plugin = (name: string, muleMsg: (text: string) => boolean | Promise<boolean>): Plugin => ({
  name,
  muleMsg: (message) => muleMsg(new TextDecoder().decode(message)),
})

describe('a mule', () => {
  it('hands what waits at its start and what comes later to the plugins, in order', async () => {
    const got: string[] = []
    const { loop, send } = mule([plugin('one', (text) => got.push(text) > 0)])
    send('first')
    send('second')
    loop.start()
    expect(got).toEqual(['first', 'second'])
    send('third')
    await until(() => got.length === 3)
    await loop.stop()
    expect(got).toEqual(['first', 'second', 'third'])
  })

  it('asks one plugin after the other until one has handled the message, and logs what none has', async () => {
    const asked: string[] = []
    const { loop, send, lines } = mule([
      { name: 'no hook at all' },
      plugin('a', (text) => asked.push(`a ${text}`) < 0),
      plugin('b', async (text) => asked.push(`b ${text}`) > 0 && text === 'for b'),
      plugin('c', (text) => asked.push(`c ${text}`) > 0 && text === 'for c'),
    ])
    for (const text of ['for b', 'for c', 'none']) send(text)
    loop.start()
    await until(() => lines.length === 1)
    await loop.stop()
    expect(asked).toEqual(['a for b', 'b for b', 'a for c', 'b for c', 'c for c', 'a none', 'b none', 'c none'])
    expect(lines).toEqual(['*** mule 3 received a 4 bytes message ***'])
  })

  it('takes no message while a handler waits, and lets timers run', async () => {
    const events: string[] = []
    const { loop, send, queue } = mule([
      plugin('slow', async (text) => {
        events.push(`begin ${text}`)
        await new Promise((resolve) => setTimeout(resolve))
        events.push(`end ${text}`)
        return true
      }),
    ])
    send('one')
    send('two')
    loop.start()
    expect([events, queue.length]).toEqual([['begin one'], 1])
    await until(() => events.length === 4)
    expect(events).toEqual(['begin one', 'end one', 'begin two', 'end two'])
    await loop.stop()
  })

  it('logs a handler that raises, at once or later, and goes on', async () => {
    const failing: Plugin = {
      ...plugin('failing', (text) => {
        if (text === 'throws') throw new GuestError('python', 'boom', 'Traceback: boom')
        if (text === 'rejects') return Promise.reject(new TypeError('later'))
        return true
      }),
      exceptionLog: (error) => (error instanceof GuestError ? error : undefined),
    }
    const { loop, send, lines, fatal, queue } = mule([failing])
    for (const text of ['throws', 'rejects', 'fine']) send(text)
    loop.start()
    await until(() => queue.length === 0 && lines.length === 2)
    await loop.stop()
    expect(lines[0]).toBe('Traceback: boom')
    expect(lines[1]).toContain('mule 3: plugin failing: muleMsg hook raised: TypeError: later')
    expect(fatal).toEqual([])
  })

  it('ends when an interpreter is lost, and takes nothing more', async () => {
    const { loop, send, fatal, queue } = mule([
      plugin('lost', () => {
        throw Object.assign(new Error('out of memory'), { fatal: true })
      }),
    ])
    send('one')
    send('two')
    loop.start()
    expect([fatal, queue.length]).toEqual([['out of memory'], 1])
    await loop.stop()
  })

  it('handles signals before messages, and lets the event loop turn while more wait', async () => {
    const events: string[] = []
    let signals = 3
    const { loop, send } = mule([plugin('one', () => events.push('message') > 0)], () => {
      if (signals === 0) return false
      signals -= 1
      events.push('signal')
      return signals > 0
    })
    send('hello')
    loop.start()
    expect(events).toEqual(['signal'])
    await until(() => events.length === 4)
    expect(events).toEqual(['signal', 'signal', 'signal', 'message'])
    await loop.stop()
  })

  it('lets the event loop turn between many messages', async () => {
    let handled = 0
    const { loop, send } = mule([plugin('one', () => ++handled > 0)])
    for (let n = 0; n < 1000; n += 1) send('x')
    loop.start()
    expect(handled).toBeLessThan(1000)
    await until(() => handled === 1000)
    await loop.stop()
  })

  it('stops after the message it is at, and not before', async () => {
    let release = (): void => {}
    const { loop, send, queue } = mule([plugin('slow', () => new Promise((resolve) => (release = () => resolve(true))))])
    send('one')
    send('two')
    loop.start()
    let stopped = false
    const stop = loop.stop().then(() => (stopped = true))
    await turn()
    expect(stopped).toBe(false)
    release()
    await stop
    expect(queue.length).toBe(1)
  })
})
