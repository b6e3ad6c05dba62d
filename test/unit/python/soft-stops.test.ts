// Code that overran is stopped by an exception: whatever it does, in whichever way it was called, and nothing else is.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { GuestFunction } from '../../../host/api/guest-function.ts'
import { TestStops } from '../../support/test-stops.ts'
import { Guest, parameter, plugin } from './guest.ts'
import { functionsOf } from './overruns.ts'
import { PythonServer } from './python-harness.ts'

const stops = new TestStops()
const setUserHarakiri = (): void => stops.set()
const verdict = stops.verdict as string
const stopped = { code: 'HARAKIRI', message: verdict }

beforeEach(() => {
  stops.verdict = verdict
  stops.traces.length = 0
  stops.judged = 0
})

describe('a request that overran', () => {
  let server: PythonServer

  beforeAll(async () => {
    server = await PythonServer.boot('overruns.py', { stops, server: { setUserHarakiri } })
  })
  afterAll(() => server.harness.close())

  const log = async (): Promise<string> => (await server.ask('takes_log')).text

  test.each(['loops', 'comprehends', 'matches', 'multiplies', 'sleeps', 'resets_handlers'])(
    'is stopped where it %s',
    async (name) => {
      await expect(server.ask(name)).rejects.toMatchObject(stopped)
      expect(stops.traces).toHaveLength(1)
      expect(functionsOf(stops)[0]).toBe(name)
      // The host logs it, with what it knows of the request.
      expect(server.takeLog()).toEqual([])
      expect(await log()).toBe('[]')
    },
  )

  test('tells its whole stack, without frames of the server', async () => {
    await expect(server.ask('loops_below')).rejects.toMatchObject(stopped)
    const trace = stops.traces[0]!
    expect(functionsOf(stops)).toEqual(['loops_below', 'deeper', 'deeper', 'deeper', 'deeper', 'loops'])
    expect(trace).toMatch(/^Traceback \(most recent call last\):\n {2}File "/)
    expect(trace).toMatch(/, in loops\n {4}(while True:|pass)\n/)
    expect(trace).toMatch(new RegExp(`\nuwsgi\\.Harakiri: ${verdict}$`))
    expect(trace).not.toContain('<polywsgi>')
  })

  test('is stopped by an exception that `except Exception` does not catch', async () => {
    expect((await server.ask('recovers')).text).toBe('recovered')
    expect(await log()).toBe(`['finally', 'uwsgi.Harakiri: ${verdict}']`)
    expect(stops.traces).toHaveLength(1)
  })

  test('is stopped in the iterable that it has returned, which is closed', async () => {
    await expect(server.ask('generates')).rejects.toMatchObject(stopped)
    expect(await log()).toBe("['generator closed']")
  })

  test('is not stopped while a module is imported, but behind that', async () => {
    await expect(server.ask('imports')).rejects.toMatchObject(stopped)
    stops.verdict = undefined
    expect((await server.ask('imports')).text).toBe('colorsys')
  })

  test('leaves nothing behind that stops the next one', async () => {
    stops.verdict = undefined
    expect((await server.ask('goes_on')).text).toBe('4999950000')
    expect(stops.judged).toBe(1)
    expect(stops.traces).toEqual([])
  })

  test.each(['loops_async', 'loops_later', 'loops_in_a_group', 'loops_asgi'])('is stopped in a task: %s', async (name) => {
    await expect(server.ask(name)).rejects.toMatchObject(stopped)
    expect(stops.traces).toHaveLength(1)
    expect(functionsOf(stops)).toEqual([name === 'loops_in_a_group' ? 'loop' : name])
    expect((await server.ask('answers_async')).text).toBe('answered')
  })

  test.each(['', 'later'])('is over when its task still waits on its way out (%s)', async (query) => {
    await expect(server.ask('cleans_up', { query })).rejects.toMatchObject(stopped)
    expect(await log()).toBe("['waits on']")
  })
})

describe('a function that a guest has registered', () => {
  let guest: Guest

  beforeAll(async () => {
    const functions = [
      { name: 'overrun', call: () => stops.set() },
      { name: 'call', params: [parameter('text')], returns: 'bytes' as const, call: (name: string) => guest.call(name) },
    ]
    guest = await Guest.boot(functions, [], stops)
    const code = `
import asyncio
def loop(*args):
    uwsgi.overrun()
    while True: pass
async def loop_later():
    await asyncio.sleep(0)
    loop()
log = []
def call():
    try: uwsgi.call('loop')
    except Exception as error: log.append('exception')
    finally: log.append('finally')
for function in (loop, loop_later, call): uwsgi.keep(function.__name__, function)
uwsgi.mule_msg_hook = uwsgi.spooler = loop
`
    expect(guest.run(code)).toBe('None')
  })

  test('ends with its hook', () => {
    expect(() => guest.call('loop')).toThrow(expect.objectContaining(stopped))
    expect(stops.traces[0]).toContain('line 5, in loop')
    const { handler } = guest.kept.get('loop') as GuestFunction
    expect(() => plugin.signalHandler?.(17, handler)).toThrow(expect.objectContaining(stopped))
    expect(() => plugin.muleMsg?.(Buffer.from('message'))).toThrow(expect.objectContaining(stopped))
    expect(() => plugin.spooler?.('job', new Map(), new Uint8Array(0))).toThrow(expect.objectContaining(stopped))
    expect(stops.traces).toHaveLength(4)
  })

  test('ends with its hook when it is a coroutine function', async () => {
    await expect(guest.call('loop_later')).rejects.toMatchObject(stopped)
  })

  test('ends those that have called it by way of the server', () => {
    expect(() => guest.call('call')).toThrow(expect.objectContaining(stopped))
    expect(stops.traces).toHaveLength(1)
    expect(guest.run('log')).toBe("['finally']")
  })
})
