// Bodies on their way in: in memory, in a file, streamed; limits, back-pressure, clients that leave.
import { closeSync, fstatSync, readSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BodyCollector, type CollectorState, spoolStatus } from '../../../host/gateway/body-collector.ts'
import { BodyStream } from '../../../host/gateway/body-stream.ts'

class Source {
  paused = false
  pauses = 0
  pause(): void {
    this.paused = true
    this.pauses += 1
  }
  resume(): void {
    this.paused = false
  }
}

const collect = (limits: { limitPost: number; postBuffering: number }) => {
  const source = new Source()
  const outcome = Promise.withResolvers<CollectorState>()
  const collector = new BodyCollector({ ...limits, ownsChunks: true }, source, (state) => outcome.resolve(state))
  return { source, collector, outcome: outcome.promise }
}

const readAll = (fd: number, length: number): Buffer => {
  const bytes = Buffer.alloc(length)
  let position = 0
  while (position < length) position += readSync(fd, bytes, position, length - position, position)
  return bytes
}

describe('a collected body', () => {
  it('stays in memory up to post-buffering', async () => {
    const { collector, outcome } = collect({ limitPost: 0, postBuffering: 6 })
    collector.add(Buffer.from('abc'))
    collector.add(Buffer.from('def'))
    collector.end()
    expect(await outcome).toBe('complete')
    const body = collector.take()
    expect(body.mode === 'whole' && Buffer.from(body.bytes!).toString()).toBe('abcdef')
  })

  it('goes to a nameless file past post-buffering, byte for byte', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 2, maxLength: 20 }),
        async (chunks) => {
          const whole = Buffer.concat(chunks)
          const { source, collector, outcome } = collect({ limitPost: 0, postBuffering: 1 })
          for (const chunk of chunks) {
            collector.add(Uint8Array.from(chunk))
            while (source.paused) await new Promise((resolve) => setImmediate(resolve))
          }
          collector.end()
          expect(await outcome).toBe('complete')
          const body = collector.take()
          if (whole.length === 1) return
          if (body.mode !== 'file') throw new Error(`the body is ${body.mode}`)
          expect(body.length).toBe(whole.length)
          expect(fstatSync(body.fd).nlink).toBe(0)
          expect(readAll(body.fd, body.length)).toEqual(whole)
          closeSync(body.fd)
        },
      ),
      { numRuns: 30 },
    )
  })

  it('pauses its client while the disk is written', () => {
    const { source, collector } = collect({ limitPost: 0, postBuffering: 10 })
    collector.add(new Uint8Array(11))
    expect(source.paused).toBe(true)
    collector.discard()
  })

  it('is refused at the first byte past limit-post', async () => {
    const { collector, outcome } = collect({ limitPost: 5, postBuffering: 100 })
    collector.add(new Uint8Array(5))
    collector.add(new Uint8Array(1))
    expect(await outcome).toBe('too-large')
  })
})

it('a disk that is full is told from one that is at fault', () => {
  const failure = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code })
  expect(['ENOSPC', 'EDQUOT', 'EFBIG'].map((code) => spoolStatus(failure(code)))).toEqual([507, 507, 507])
  expect(['EIO', 'EACCES', 'EMFILE'].map((code) => spoolStatus(failure(code)))).toEqual([503, 503, 503])
})

describe('a streamed body', () => {
  it('is handed on in pieces no larger than asked for, then ends', async () => {
    const stream = new BodyStream(6, { limitPost: 0, postBuffering: 0, ownsChunks: true }, new Source())
    const { body } = stream
    if (body.mode !== 'stream') throw new Error('not a stream')
    const early = body.pull(4)
    stream.add(Buffer.from('abcdef'))
    stream.finish('end')
    expect(await early).toEqual({ kind: 'bytes', bytes: Buffer.from('abcd') })
    expect(await body.pull(100)).toEqual({ kind: 'bytes', bytes: Buffer.from('ef') })
    expect(await body.pull(100)).toEqual({ kind: 'end' })
    expect(await body.pull(100)).toEqual({ kind: 'end' })
  })

  it('pauses a client that sends faster than the app reads, and lets it go on', async () => {
    const source = new Source()
    const stream = new BodyStream(-1, { limitPost: 0, postBuffering: 0, ownsChunks: true }, source)
    const { body } = stream
    if (body.mode !== 'stream') throw new Error('not a stream')
    for (let n = 0; n < 5; n += 1) stream.add(new Uint8Array(64 * 1024))
    expect(source.paused).toBe(true)
    await body.pull(64 * 1024)
    expect(source.paused).toBe(false)
  })

  it('tells the reader that the client has gone, after what had arrived', async () => {
    const stream = new BodyStream(10, { limitPost: 0, postBuffering: 0, ownsChunks: true }, new Source())
    const { body } = stream
    if (body.mode !== 'stream') throw new Error('not a stream')
    stream.add(Buffer.from('abc'))
    stream.finish('gone')
    expect((await body.pull(10)).kind).toBe('bytes')
    expect(await body.pull(10)).toEqual({ kind: 'gone' })
  })
})
