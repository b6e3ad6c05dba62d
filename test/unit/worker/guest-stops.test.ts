// Who is stopped when the stop word is set: only what runs at that moment and has overrun itself.
import { describe, expect, it, vi } from 'vitest'
import type { WsgiRequest } from '../../../host/request/wsgi-request.ts'
import { Deadlines } from '../../../host/state/deadlines.ts'
import { StopWords, stopValue } from '../../../host/state/stop-words.ts'
import { ThreadStops } from '../../../host/worker/guest-stops.ts'
import { RequestDeadlines } from '../../../host/worker/request-deadlines.ts'

const requestReason = 'the request took longer than it may: harakiri'
const codeReason = 'it took longer than it may: harakiri'

const made = (harakiriMs: number) => {
  let ms = 1_000_000
  vi.spyOn(process.hrtime, 'bigint').mockImplementation(() => BigInt(ms) * 1_000_000n)
  const words = StopWords.create(2)
  const deadlines = new RequestDeadlines({ deadlines: Deadlines.create(2), seat: 1, harakiriMs, graceMs: 1000 })
  const thread: { current: WsgiRequest | undefined } = { current: undefined }
  const stopped: [WsgiRequest | undefined, string][] = []
  const stops = new ThreadStops({
    word: words.of(1),
    isWanted: false,
    deadlines,
    current: () => thread.current,
    onStopped: (request, trace) => void stopped.push([request, trace]),
  })
  return {
    thread,
    deadlines,
    stops,
    stopped,
    pass: (milliseconds: number) => {
      ms += milliseconds
    },
    /** The master sets the word, and guest code looks. */
    judged: () => {
      words.set(1)
      expect(stops.word[0]).toBe(stopValue)
      const reason = stops.judge()
      expect(stops.word[0]).toBe(0)
      return reason
    },
  }
}
const request = (): WsgiRequest => ({ isOver: false, noteDeadline: () => {} }) as unknown as WsgiRequest

describe('guest code that sees its stop word', () => {
  it('is stopped when its request has overrun, and goes on when another one has', () => {
    const { thread, deadlines, stopped, stops, judged, pass } = made(10_000)
    const [slow, young] = [request(), request()]
    deadlines.requestBegins(slow)
    pass(5000)
    deadlines.requestBegins(young)
    pass(6000)
    thread.current = young
    expect([judged(), young.isOver]).toEqual([undefined, false])
    thread.current = undefined
    expect(judged()).toBeUndefined()
    thread.current = slow
    expect([judged(), slow.isOver]).toEqual([requestReason, true])
    thread.current = young
    stops.stopped('where')
    expect(stopped).toEqual([[slow, 'where']])
  })

  it('may clean up for half of the grace before it is stopped again', () => {
    const { thread, deadlines, judged, pass } = made(10_000)
    thread.current = request()
    deadlines.requestBegins(thread.current)
    pass(10_000)
    expect(judged()).toBe(requestReason)
    pass(499)
    expect(judged()).toBeUndefined()
    pass(1)
    expect(judged()).toBe(requestReason)
    expect(deadlines.isGivenUp(thread.current)).toBe(true)
  })

  it('is not stopped for the request that waits below it, and is for its own time', () => {
    const { thread, deadlines, judged, pass } = made(10_000)
    const waiting = request()
    thread.current = waiting
    deadlines.requestBegins(waiting)
    pass(9000)
    deadlines.handlerBegins()
    pass(2000)
    expect(judged()).toBeUndefined()
    pass(8000)
    expect([judged(), waiting.isOver]).toEqual([codeReason, false])
    deadlines.handlerEnds()
    expect(judged()).toBe(requestReason)
  })

  it('is stopped at a deadline that it has set itself, within a request or without one', () => {
    const { thread, deadlines, judged, pass } = made(0)
    thread.current = request()
    deadlines.set(thread.current, 1)
    pass(999)
    expect(judged()).toBeUndefined()
    pass(1)
    expect(judged()).toBe(requestReason)
    thread.current = undefined
    deadlines.set(undefined, 1)
    expect(judged()).toBeUndefined()
    pass(1000)
    expect(judged()).toBe(codeReason)
  })

  it('is stopped in a message or a job that takes too long, and not after it', () => {
    const { deadlines, judged, pass } = made(10_000)
    deadlines.workBegins()
    pass(9999)
    expect(judged()).toBeUndefined()
    pass(1)
    expect(judged()).toBe(codeReason)
    deadlines.workEnds()
    pass(60_000)
    expect(judged()).toBeUndefined()
  })

  it('is stopped when it runs for a request that is over, and the thread does not get on', () => {
    const { thread, deadlines, judged, pass } = made(10_000)
    deadlines.watchThread()
    thread.current = request()
    thread.current.isOver = true
    pass(10_500)
    expect(judged()).toBeUndefined()
    pass(1000)
    expect(judged()).toBe(requestReason)
    deadlines.endWatch()
  })
})
