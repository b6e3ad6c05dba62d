// What plugins read of a body, against a plain buffer: over bodies in memory, in files and arriving in pieces.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ClientError } from '../../../host/errors.ts'
import { type RequestBody, WholeBody } from '../../../host/request/body.ts'
import { BodyReader } from '../../../host/request/body-reader.ts'
import { BodyMode, PullState } from '../../../host/state/request-slots.ts'
import { StateMap } from '../../../host/state/state-map.ts'
import { openBody } from '../../../host/worker/slot-body.ts'

/** A body that arrives in pieces, whose memory is written over as soon as the next one is asked for. */
class Arriving implements RequestBody {
  readonly whole = undefined
  readonly contentLength: number
  readonly #pieces: (Buffer | Error)[]
  readonly #place = Buffer.alloc(4096)

  constructor(pieces: readonly (Buffer | Error)[], contentLength = -1) {
    this.#pieces = [...pieces]
    this.contentLength = contentLength
  }

  read(max: number): Uint8Array {
    this.#place.fill('!')
    const piece = this.#pieces.shift()
    if (piece === undefined) return new Uint8Array(0)
    if (piece instanceof Error) throw piece
    const size = Math.min(max, piece.length, this.#place.length)
    if (size < piece.length) this.#pieces.unshift(piece.subarray(size))
    piece.copy(this.#place, 0, 0, size)
    return this.#place.subarray(0, size)
  }

  async readAsync(max: number): Promise<Uint8Array> {
    await Promise.resolve()
    return this.read(max)
  }
}

const cutAt = (bytes: Buffer, cuts: readonly number[]): Buffer[] => {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return places
    .slice(1)
    .map((end, index) => bytes.subarray(places[index], end))
    .filter((piece) => piece.length > 0)
}

/** What a reader is asked for, and what a buffer says to it. */
type Step =
  | { kind: 'read' | 'line'; count: number }
  | { kind: 'chunk'; count: number }
  | { kind: 'all' | 'consume' }
  | { kind: 'seek'; place: number }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('read' as const, 'line' as const), count: fc.integer({ min: 0, max: 40 }) }),
  fc.record({ kind: fc.constant('chunk' as const), count: fc.integer({ min: 1, max: 40 }) }),
  fc.record({ kind: fc.constantFrom('all' as const, 'consume' as const) }),
  fc.record({ kind: fc.constant('seek' as const), place: fc.nat(300) }),
)
const content = fc.array(fc.constantFrom(10, 65, 0, 255), { maxLength: 300 }).map((bytes) => Buffer.from(bytes))

/** Does the steps and compares each answer. `call` is the plain or the promised form of a method. */
const compare = async (reader: BodyReader, bytes: Buffer, steps: readonly Step[], isAsync: boolean): Promise<void> => {
  let at = 0
  const kept: [Buffer, string][] = []
  const took = (answer: Buffer, expected: Buffer): void => {
    expect(answer.toString('latin1')).toBe(expected.toString('latin1'))
    kept.push([answer, expected.toString('latin1')])
    at += answer.length
  }
  for (const one of steps) {
    if (one.kind === 'seek') {
      if (!reader.canSeek) {
        expect(() => reader.seek(0)).toThrow(/as it arrives, and cannot seek: see the option post-buffering/)
        continue
      }
      if (one.place > bytes.length) {
        expect(() => reader.seek(one.place)).toThrow(/is behind the end of the body/)
        continue
      }
      reader.seek(one.place)
      at = one.place
    } else if (one.kind === 'consume') {
      expect(isAsync ? await reader.consumeAsync() : reader.consume()).toBe(bytes.length - at)
      at = bytes.length
    } else if (one.kind === 'all') took(isAsync ? await reader.readAsync() : reader.read(), bytes.subarray(at))
    else if (one.kind === 'read') {
      const end = one.count === 0 ? bytes.length : at + one.count
      took(isAsync ? await reader.readAsync(one.count) : reader.read(one.count), bytes.subarray(at, end))
    } else if (one.kind === 'line') {
      const feed = bytes.indexOf(10, at)
      const line = bytes.subarray(at, feed === -1 ? bytes.length : feed + 1)
      const answer = isAsync ? await reader.readLineAsync(one.count) : reader.readLine(one.count)
      took(answer, one.count === 0 ? line : line.subarray(0, one.count))
    } else if (one.kind === 'chunk') {
      const answer = isAsync ? await reader.readChunkAsync(one.count) : reader.readChunk(one.count)
      expect(answer.length).toBeLessThanOrEqual(one.count)
      expect(answer.length > 0).toBe(at < bytes.length)
      took(answer, bytes.subarray(at, at + answer.length))
    }
    expect(reader.position).toBe(at)
  }
  // What was handed out is the caller's: nothing that was read later has changed it.
  for (const [answer, expected] of kept) expect(answer.toString('latin1')).toBe(expected)
}

describe('a reader of a body', () => {
  let state: StateMap
  let folder: string
  beforeAll(() => {
    state = StateMap.create({ workers: 1, requestSlots: 2, requestAreaSize: 64, responseRingSize: 64 * 1024 })
    folder = mkdtempSync(join(tmpdir(), 'polywsgi-body-'))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const linkOf = () => ({
    slots: state.slots,
    ring: state.ring(1),
    masterDoorbell: state.doorbell(0),
    responseLimit: Number.POSITIVE_INFINITY,
    post: () => 0,
  })
  const fill = (bodyMode: BodyMode, body: Uint8Array | undefined, contentLength: number, bodyFd = -1): void => {
    const packet = Buffer.from('packet')
    state.slots.fill(0, { packet, bodyMode, body, contentLength, bodyFd })
    state.slots.claim(0, 1)
  }

  it.each([false, true])('reads as a buffer would what is whole (async: %s)', async (isAsync) => {
    await fc.assert(
      fc.asyncProperty(content, fc.array(step), (bytes, steps) =>
        compare(new BodyReader(new WholeBody(bytes)), bytes, steps, isAsync),
      ),
    )
  })

  it.each([false, true])('reads as a buffer would what lies in the slot of its request (async: %s)', async (isAsync) => {
    const short = content.map((bytes) => bytes.subarray(0, 50))
    await fc.assert(
      fc.asyncProperty(short, fc.array(step), async (bytes, steps) => {
        fill(BodyMode.inline, bytes, bytes.length)
        const body = openBody(linkOf(), 0)
        // No bytes, no body: that one is shared by all requests.
        await compare(new BodyReader(body), bytes, steps, isAsync)
        body.release()
      }),
    )
  })

  it.each([false, true])('reads as a buffer would what is in a file (async: %s)', async (isAsync) => {
    const path = join(folder, 'body')
    await fc.assert(
      fc.asyncProperty(content, fc.array(step), async (bytes, steps) => {
        writeFileSync(path, bytes)
        const fd = openSync(path, 'r')
        try {
          fill(BodyMode.file, undefined, bytes.length, fd)
          await compare(new BodyReader(openBody(linkOf(), 0)), bytes, steps, isAsync)
        } finally {
          closeSync(fd)
        }
      }),
      { numRuns: 50 },
    )
  })

  it.each([false, true])('reads as a buffer would what arrives in pieces (async: %s)', async (isAsync) => {
    await fc.assert(
      fc.asyncProperty(content, fc.array(fc.nat()), fc.boolean(), fc.array(step), (bytes, cuts, isKnown, steps) => {
        const body = new Arriving(cutAt(bytes, cuts), isKnown ? bytes.length : -1)
        return compare(new BodyReader(body), bytes, steps, isAsync)
      }),
    )
  })

  it('reads as a buffer would what the master passes on as it arrives', async () => {
    await fc.assert(
      fc.asyncProperty(content, fc.array(fc.nat()), fc.array(step), async (bytes, cuts, steps) => {
        fill(BodyMode.pull, undefined, bytes.length)
        const pieces = cutAt(bytes, cuts)
        let isOver = false
        // The master's part: it looks at what the worker has asked for, and answers.
        const serve = (): void => {
          if (isOver) return
          state.ring(1).drain(() => {
            const piece = pieces.shift()?.subarray()
            if (piece === undefined) return state.slots.answerPull(0, PullState.end)
            if (piece.length > 64) pieces.unshift(piece.subarray(64))
            state.slots.answerPull(0, PullState.filled, piece.subarray(0, 64))
          })
          setImmediate(serve)
        }
        serve()
        try {
          await compare(new BodyReader(openBody(linkOf(), 0)), bytes, steps, true)
        } finally {
          isOver = true
        }
      }),
      { numRuns: 50 },
    )
  })

  it('counts the reads of an arriving body that failed', async () => {
    fill(BodyMode.pull, undefined, 10)
    const body = openBody(linkOf(), 0)
    const reading = body.readAsync(10)
    state.slots.answerPull(0, PullState.timeout)
    await expect(reading).rejects.toMatchObject({ code: 'BODY_TIMEOUT' })
    expect(body.readErrors).toBe(1)
  })

  it('gives what arrived before a failure to the next read', async () => {
    const gone = new ClientError('CLIENT_GONE', 'gone')
    const pieces = [Buffer.from('ab'), gone, Buffer.from('cd\ne'), gone]
    const reader = new BodyReader(new Arriving(pieces))
    expect(() => reader.readLine()).toThrow(gone)
    expect(reader.position).toBe(0)
    expect(reader.readLine().toString()).toBe('abcd\n')
    await expect(reader.readAsync()).rejects.toBe(gone)
    expect(reader.read(1).toString()).toBe('e')
  })

  it.each([-1, 20])('keeps no more than the limit in memory (content length %d)', async (contentLength) => {
    const reader = new BodyReader(new Arriving([Buffer.from('x'.repeat(20))], contentLength))
    const refused = { code: 'API_REFUSED', message: 'the rest of the body is longer than the limit of 19 bytes' }
    expect(() => reader.read(0, { limit: 19 })).toThrow(expect.objectContaining(refused))
    expect(() => reader.readLine(0, { limit: 19 })).toThrow(/the line is longer than the limit of 19 bytes/)
    expect(reader.read(20, { limit: 20 }).length).toBe(20)
    const again = new BodyReader(new Arriving([Buffer.from('x'.repeat(20))], contentLength))
    expect((await again.readLineAsync(0, { limit: 20 })).length).toBe(20)
    expect(again.read().length).toBe(0)
  })

  it('has a limit where none was named', () => {
    const megabyte = Buffer.alloc(1024 * 1024, 'x')
    const endless: RequestBody = {
      contentLength: -1,
      whole: undefined,
      read: (max) => megabyte.subarray(0, max),
      readAsync: never,
    }
    const reader = new BodyReader(endless)
    expect(() => reader.read()).toThrow(/longer than the limit of 8388608 bytes/)
    expect(() => reader.readLine()).toThrow(/longer than the limit of 8388608 bytes/)
  })

  it('refuses amounts and places that are none', () => {
    const reader = new BodyReader(new WholeBody(Buffer.from('abc')))
    const bad = [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1' as unknown as number]
    for (const count of bad) {
      for (const run of [
        () => reader.read(count),
        () => reader.readLine(count),
        () => reader.readChunk(count),
        () => reader.seek(count),
        () => reader.read(0, { limit: count }),
      ]) {
        expect(run).toThrow(expect.objectContaining({ code: 'API_ARGUMENT' }))
      }
    }
    expect(() => reader.readChunk(0)).toThrow(/at least one byte/)
    expect(() => reader.read(10, { limit: 9 })).toThrow(/more than the limit/)
    expect(reader.read().toString()).toBe('abc')
  })

  it('does one thing at a time', async () => {
    const reader = new BodyReader(new Arriving([Buffer.from('abc')]))
    const first = reader.readAsync()
    const second = reader.readAsync()
    expect(() => reader.read()).toThrow(/is being read already/)
    expect(() => reader.seek(0)).toThrow(/is being read already/)
    await expect(second).rejects.toMatchObject({ code: 'API_REFUSED' })
    expect((await first).toString()).toBe('abc')
  })

  it('goes through a body piece by piece', async () => {
    const seen: string[] = []
    for await (const piece of new BodyReader(new Arriving([Buffer.from('ab'), Buffer.from('c')]))) seen.push(piece.toString())
    expect(seen).toEqual(['ab', 'c'])
  })
})

const never = (): Promise<Uint8Array> => new Promise(() => {})
