// The streams of the platform: reading, cancelling, splitting, piping, transforming.
import { describe, expect, it } from 'vitest'
import { runJs } from './js-apps.ts'

describe('ReadableStream', () => {
  it('calls its source as the standard says', async () => {
    expect(
      await runJs(`const calls = []
        let n = 0
        const source = {
          start(c) { calls.push('start ' + (this === source) + c.desiredSize) },
          pull(c) { calls.push('pull ' + c.desiredSize); c.enqueue(++n); if (n === 3) c.close() },
          cancel() { calls.push('cancel') },
        }
        const stream = new ReadableStream(source, { highWaterMark: 2 })
        const reader = stream.getReader()
        const results = []
        for (;;) { const { done, value } = await reader.read(); if (done) break; results.push(value) }
        await reader.closed
        return [results, calls]`),
    ).toEqual([
      [1, 2, 3],
      ['start true2', 'pull 2', 'pull 2', 'pull 2'],
    ])
  })

  it('hands out one lock at a time', async () => {
    expect(
      await runJs(`const stream = new ReadableStream({ start(c) { c.enqueue('a') } })
        const reader = stream.getReader()
        const out = [stream.locked]
        try { stream.getReader() } catch (error) { out.push(error.message) }
        out.push(await stream.cancel().catch((error) => error.message))
        const pending = reader.read().then(() => reader.read())
        await null; await null; await null
        reader.releaseLock()
        out.push(await pending.catch((error) => error.message), await reader.read().catch((error) => error.message), stream.locked)
        return out`),
    ).toEqual([
      true,
      'the stream is locked to a reader',
      'the stream is locked to a reader',
      'the reader was released',
      'the reader was released',
      false,
    ])
  })

  it('passes its errors on', async () => {
    expect(
      await runJs(`const bad = new ReadableStream({ start(c) { c.enqueue(1); c.error(new Error('broken')) } })
        const reader = bad.getReader()
        const late = new ReadableStream({ pull() { return Promise.reject(new Error('late')) } })
        return [await reader.read().catch(e => e.message), await reader.closed.catch(e => e.message), await late.getReader().read().catch(e => e.message)]`),
    ).toEqual(['broken', 'broken', 'late'])
  })

  it('cancels its source when iteration stops early', async () => {
    expect(
      await runJs(`const seen = []
        const make = () => new ReadableStream({ pull(c) { c.enqueue('x') }, cancel(r) { seen.push('cancelled') } })
        const one = make(); for await (const x of one) { seen.push(x); break }
        const two = make(); for await (const x of two.values({ preventCancel: true })) { seen.push(x); break }
        // The engine leaves a loop without waiting for the iterator's return().
        await new Promise((resolve) => setTimeout(resolve))
        return [seen, one.locked, two.locked]`),
    ).toEqual([['x', 'cancelled', 'x'], false, false])
  })

  it('is made from iterables', async () => {
    expect(
      await runJs(`const collect = async (s) => { const out = []; for await (const x of s) out.push(x); return out }
        async function* gen() { yield 1; yield Promise.resolve(2) }
        return [await collect(ReadableStream.from(['a', 'b'])), await collect(ReadableStream.from(gen()))]`),
    ).toEqual([
      ['a', 'b'],
      [1, 2],
    ])
  })

  it('splits in two that are read at their own pace', async () => {
    expect(
      await runJs(`let n = 0
        const [a, b] = new ReadableStream({ pull(c) { n < 3 ? c.enqueue(n++) : c.close() } }).tee()
        const collect = async (s) => { const out = []; for await (const x of s) out.push(x); return out }
        const first = await collect(a)
        return [first, await collect(b)]`),
    ).toEqual([
      [0, 1, 2],
      [0, 1, 2],
    ])
  })

  it('is cancelled by tee only when both halves are', async () => {
    expect(
      await runJs(`let cancelled
        const [a, b] = new ReadableStream({ cancel(reasons) { cancelled = reasons } }).tee()
        const first = a.cancel('one')
        const before = cancelled ?? null
        await b.cancel('two'); await first
        return [before, cancelled]`),
    ).toEqual([null, ['one', 'two']])
  })

  it('of bytes takes only bytes', async () => {
    expect(
      await runJs(`const stream = new ReadableStream({ type: 'bytes', start(c) {
          globalThis.problem = ''
          try { c.enqueue('text') } catch (error) { problem = error.message }
          c.enqueue(new Uint16Array([1])); c.close() } })
        const { value } = await stream.getReader().read()
        return [problem, value instanceof Uint8Array, value.length]`),
    ).toEqual(['a byte stream takes non-empty views', true, 2])
  })

  it('refuses wrong sources, strategies and readers', async () => {
    expect(
      await runJs(`const out = []
        for (const make of [() => new ReadableStream({ type: 'x' }), () => new ReadableStream({ pull: 5 }), () => new ReadableStream({}, { highWaterMark: -1 }),
          () => new ReadableStream().getReader({ mode: 'byob' }), () => new ReadableStreamDefaultReader({}), () => new ReadableStreamDefaultController()]) {
          try { make() } catch (error) { out.push(error.message) }
        }
        const closed = new ReadableStream({ start(c) { c.close(); try { c.enqueue(1) } catch (error) { out.push(error.message) } } })
        return out`),
    ).toEqual([
      'unknown type of source: x',
      "a source's pull must be a function",
      'highWaterMark must be a number of 0 or more',
      'this stream has default readers only',
      'not a ReadableStream',
      'Illegal constructor',
      'the stream takes no more chunks',
    ])
  })
})

describe('WritableStream', () => {
  it('writes one chunk after the other', async () => {
    expect(
      await runJs(`const log = []
        const stream = new WritableStream({
          start() { log.push('start') },
          async write(chunk) { log.push('begin ' + chunk); await null; await null; log.push('end ' + chunk) },
          close() { log.push('close') },
        })
        const writer = stream.getWriter()
        const sizes = [writer.desiredSize]
        writer.write('a'); writer.write('b')
        sizes.push(writer.desiredSize)
        await writer.close()
        return [log, sizes, await writer.write('c').catch(e => e.message)]`),
    ).toEqual([['start', 'begin a', 'end a', 'begin b', 'end b', 'close'], [1, -1], 'the stream is closed'])
  })

  it('fails everything that waits when its sink fails', async () => {
    expect(
      await runJs(`const writer = new WritableStream({ write() { throw new Error('full') } }).getWriter()
        return Promise.all([writer.write(1), writer.write(2), writer.closed, writer.ready].map((p) => p.then(() => 'ok', (e) => e.message)))`),
    ).toEqual(['full', 'full', 'full', 'full'])
  })

  it('aborts its sink', async () => {
    expect(
      await runJs(`let aborted
        const stream = new WritableStream({ abort(reason) { aborted = reason } })
        await stream.abort('why')
        return [aborted, await stream.getWriter().closed.catch(e => e)]`),
    ).toEqual(['why', 'why'])
  })
})

describe('pipes', () => {
  it('carry everything over and close the other end', async () => {
    expect(
      await runJs(`const out = []
        await ReadableStream.from([1, 2, 3]).pipeTo(new WritableStream({ write(x) { out.push(x) }, close() { out.push('closed') } }))
        return out`),
    ).toEqual([1, 2, 3, 'closed'])
  })

  it('carry errors in both directions', async () => {
    expect(
      await runJs(`const seen = []
        const bad = new ReadableStream({ pull() { throw new Error('source') } })
        await bad.pipeTo(new WritableStream({ abort(e) { seen.push('aborted ' + e.message) } })).catch(e => seen.push(e.message))
        const good = new ReadableStream({ pull(c) { c.enqueue(1) }, cancel(e) { seen.push('cancelled ' + e.message) } })
        await good.pipeTo(new WritableStream({ write() { throw new Error('sink') } })).catch(e => seen.push(e.message))
        const controller = new AbortController()
        const endless = new ReadableStream({ pull(c) { c.enqueue(1) }, cancel() { seen.push('cancelled by signal') } })
        const done = endless.pipeTo(new WritableStream(), { signal: controller.signal }).catch(e => seen.push(e.name))
        controller.abort(); await done
        return seen`),
    ).toEqual(['aborted source', 'source', 'cancelled sink', 'sink', 'cancelled by signal', 'AbortError'])
  })

  it('go through transforms', async () => {
    expect(
      await runJs(`const upper = new TransformStream({
          transform(chunk, c) { c.enqueue(chunk.toUpperCase()) },
          flush(c) { c.enqueue('!') },
        })
        const out = []
        for await (const x of ReadableStream.from(['a', 'b']).pipeThrough(upper)) out.push(x)
        const identity = ReadableStream.from([1, 2]).pipeThrough(new TransformStream())
        for await (const x of identity) out.push(x)
        return out`),
    ).toEqual(['A', 'B', '!', 1, 2])
  })

  it('stop at a transform that fails', async () => {
    expect(
      await runJs(`const bad = ReadableStream.from([1]).pipeThrough(new TransformStream({ transform() { throw new Error('no') } }))
        try { for await (const x of bad); } catch (error) { return error.message }`),
    ).toBe('no')
  })

  it('encode and decode text cut anywhere', async () => {
    expect(
      await runJs(`const bytes = new TextEncoder().encode('gr\\u00fc\\u20ac\\u{1f600}')
        const pieces = Array.from(bytes, (byte) => Uint8Array.of(byte))
        let text = ''
        for await (const part of ReadableStream.from(pieces).pipeThrough(new TextDecoderStream())) text += part
        const encoded = []
        for await (const part of ReadableStream.from(['a', '\\u00fc']).pipeThrough(new TextEncoderStream())) encoded.push(...part)
        return [text, encoded]`),
    ).toEqual(['gr\u00fc\u20ac\u{1f600}', [0x61, 0xc3, 0xbc]])
  })
})
