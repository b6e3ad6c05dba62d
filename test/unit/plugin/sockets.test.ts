// Connections of plugins to servers that answer, are slow, silent, cut off, flood, or are not there.
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { TimeoutError } from '../../../host/errors.ts'
import { connect, type PluginSocket, waitMilliseconds } from '../../../host/plugin/sockets.ts'
import { encodePacket } from '../../../protocol/packet.ts'

const servers: Server[] = []
const clients: Socket[] = []

/** A server on a free port, or a path; `serve` gets each connection. */
const serverOf = async (serve: (socket: Socket) => void, place?: string): Promise<string> => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    clients.push(socket)
    socket.on('error', () => {})
    serve(socket)
  })
  servers.push(server)
  if (place === undefined) server.listen(0, '127.0.0.1')
  else if (place === '::1') server.listen(0, '::1')
  else server.listen(place)
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') return place as string
  return place === '::1' ? `[::1]:${address.port}` : `127.0.0.1:${address.port}`
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy()
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})

const silent = (): void => {}
const saying =
  (...pieces: (string | Uint8Array)[]) =>
  async (socket: Socket): Promise<void> => {
    for (const piece of pieces) {
      socket.write(piece)
      await new Promise((resolve) => setImmediate(resolve))
    }
    socket.end()
  }
const echo = (socket: Socket): void => void socket.pipe(socket)
const io = (address: string, reason: string) => ({ code: 'API_IO', message: `${address}: ${reason}` })
const text = (bytes: Buffer): string => bytes.toString('latin1')

describe('a connection', () => {
  it('is made to ports, IPv6 addresses, names, paths and abstract names', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'polywsgi-sockets-'))
    const addresses = [await serverOf(echo), await serverOf(echo, join(folder, 's'))]
    addresses.push((addresses[0] as string).replace('127.0.0.1', 'localhost'))
    addresses.push((addresses[0] as string).replace('127.0.0.1', ''))
    addresses.push(await serverOf(echo, '::1'))
    await serverOf(echo, `\0polywsgi-test-${process.pid}`)
    addresses.push(`@polywsgi-test-${process.pid}`)
    for (const address of addresses) {
      await using socket = await connect(address)
      expect(socket.address).toBe(address)
      await socket.write(Buffer.from('hello'))
      await socket.end()
      expect(text(await socket.readToEnd())).toBe('hello')
    }
    rmSync(folder, { recursive: true })
  })

  it('says why there is none', async () => {
    const gone = createServer().listen(0, '127.0.0.1')
    await once(gone, 'listening')
    const { port } = gone.address() as { port: number }
    await new Promise((resolve) => gone.close(resolve))
    const refused = connect(`127.0.0.1:${port}`)
    await expect(refused).rejects.toMatchObject({
      code: 'API_IO',
      message: `unable to connect to 127.0.0.1:${port}: connection refused`,
    })
    await expect(connect('/nowhere/there.sock')).rejects.toThrow(
      'unable to connect to /nowhere/there.sock: there is no such socket',
    )
    await expect(connect('')).rejects.toMatchObject({ code: 'API_IO', message: 'an empty address' })
    await expect(connect('127.0.0.1:0')).rejects.toThrow(/the port .* is not a number from 1 to 65535/)
    await expect(connect('a\0b')).rejects.toThrow(/holds a NUL byte/)
    await expect(connect(`/${'x'.repeat(200)}`)).rejects.toThrow(/longer than 107 bytes/)
    for (const timeout of [0, -1, Number.NaN, 86_401, '4' as unknown as number]) {
      if (typeof timeout === 'string') continue
      await expect(connect('127.0.0.1:1', { timeout })).rejects.toMatchObject({ code: 'API_ARGUMENT' })
    }
  })

  it('closes once, and says so to whoever uses it then', async () => {
    const socket = await connect(await serverOf(silent))
    const why = io(socket.address, 'the socket is closed')
    const reading = expect(socket.read()).rejects.toMatchObject(why)
    await socket.close()
    await socket.close()
    expect(socket.closed).toBe(true)
    await reading
    await expect(socket.read()).rejects.toMatchObject(why)
    await expect(socket.readExactly(1)).rejects.toMatchObject(why)
    await expect(socket.readLine()).rejects.toMatchObject(why)
    await expect(socket.readToEnd()).rejects.toMatchObject(why)
    await expect(socket.readPacket()).rejects.toMatchObject(why)
    await expect(socket.write(Buffer.from('x'))).rejects.toMatchObject(why)
    await expect(socket.end()).rejects.toMatchObject(why)
    await expect(socket.waitReadable()).rejects.toMatchObject(why)
    await expect(socket.waitWritable()).rejects.toMatchObject(why)
  })
})

describe('reading', () => {
  it('gives what is there, and nothing at the end', async () => {
    const socket = await connect(await serverOf(saying('abc')))
    expect(text(await socket.read(2))).toBe('ab')
    expect(text(await socket.read(2))).toBe('c')
    expect(text(await socket.read())).toBe('')
    expect(text(await socket.read())).toBe('')
    await socket.close()
    await expect(socket.read()).rejects.toThrow()
  })

  it('gives exact amounts, or says what is missing and keeps what came', async () => {
    const address = await serverOf(saying('ab', 'cde', 'f'))
    const socket = await connect(address)
    expect(text(await socket.readExactly(0))).toBe('')
    expect(text(await socket.readExactly(4))).toBe('abcd')
    await expect(socket.readExactly(3)).rejects.toMatchObject(io(address, 'closed the connection after 2 of 3 bytes'))
    expect(text(await socket.read())).toBe('ef')
    await socket.close()
  })

  it('gives lines', async () => {
    const socket = await connect(await serverOf(saying('one\ntw', 'o\r\n', '\nlast')))
    const lines: string[] = []
    for (let line = await socket.readLine(); line.length > 0; line = await socket.readLine()) lines.push(text(line))
    expect(lines).toEqual(['one\n', 'two\r\n', '\n', 'last'])
    await socket.close()
  })

  it('refuses lines and answers that are too long, and loses nothing of them', async () => {
    const address = await serverOf(saying('12345\n', '1234567'))
    const socket = await connect(address)
    expect(text(await socket.readLine({ limit: 6 }))).toBe('12345\n')
    await expect(socket.readLine({ limit: 6 })).rejects.toMatchObject(io(address, 'sent a line of more than 6 bytes'))
    await expect(socket.readToEnd({ limit: 6 })).rejects.toMatchObject(io(address, 'sent more than 6 bytes'))
    expect(text(await socket.readToEnd({ limit: 7 }))).toBe('1234567')
    expect(text(await socket.readToEnd({ limit: 0 }))).toBe('')
    await socket.close()
  })

  it('gives packets of the uwsgi protocol', async () => {
    const large = Buffer.alloc(65_535, 'x')
    const packets = Buffer.concat([
      encodePacket(173, 2, Buffer.from('block')),
      encodePacket(0, 0, large),
      encodePacket(1, 1, Buffer.alloc(0)),
    ])
    const address = await serverOf(
      saying(packets.subarray(0, 3), packets.subarray(3, 7), packets.subarray(7), Buffer.from([9, 4, 0, 9, 1])),
    )
    const socket = await connect(address)
    expect(await socket.readPacket()).toEqual({ modifier1: 173, modifier2: 2, block: Buffer.from('block') })
    expect((await socket.readPacket())?.block.equals(large)).toBe(true)
    expect(await socket.readPacket()).toEqual({ modifier1: 1, modifier2: 1, block: Buffer.alloc(0) })
    await expect(socket.readPacket()).rejects.toMatchObject(io(address, 'closed the connection after 1 of 4 bytes'))
    expect([...(await socket.read())]).toEqual([9, 4, 0, 9, 1])
    expect(await socket.readPacket()).toBe(undefined)
    await socket.close()
  })

  it('waits no longer than it may, and can go on after that', async () => {
    let peer: Socket | undefined
    const address = await serverOf((socket) => (peer = socket))
    const socket = await connect(address)
    for (const read of [
      () => socket.read(1, { timeout: 0.02 }),
      () => socket.readExactly(2, { timeout: 0.02 }),
      () => socket.readLine({ timeout: 0.02 }),
      () => socket.readPacket({ timeout: 0.02 }),
      () => socket.readToEnd({ timeout: 0.02 }),
    ]) {
      const failure = await read().catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(TimeoutError)
      expect(failure).toMatchObject({ name: 'TimeoutError', ...io(address, 'was silent for 0.02 seconds') })
    }
    expect(await socket.waitReadable(0.02)).toBe(false)
    peer?.write('late')
    expect(await socket.waitReadable()).toBe(true)
    expect(text(await socket.readExactly(4))).toBe('late')
    peer?.end()
    expect(await socket.waitReadable()).toBe(true)
    expect(await socket.waitReadable()).toBe(true)
    expect((await socket.read()).length).toBe(0)
    await socket.close()
  })

  it('tells a reset from an end', async () => {
    const address = await serverOf((socket) => {
      socket.write('some')
      socket.once('data', () => socket.resetAndDestroy())
    })
    const socket = await connect(address)
    expect(text(await socket.read())).toBe('some')
    const reading = socket.read()
    await socket.write(Buffer.from('go'))
    await expect(reading).rejects.toMatchObject(io(address, 'reset the connection'))
    await expect(socket.write(Buffer.from('more'))).rejects.toMatchObject(io(address, 'reset the connection'))
    expect(socket.closed).toBe(true)
    await socket.close()
  })

  it('is one at a time, and is not disturbed by who waits', async () => {
    const address = await serverOf(echo)
    const socket = await connect(address)
    const first = socket.read()
    await expect(socket.readLine()).rejects.toMatchObject({ code: 'API_REFUSED' })
    const waits = [socket.waitReadable(), socket.waitReadable()]
    await socket.write(Buffer.from('x'))
    expect(text(await first)).toBe('x')
    expect(await Promise.all(waits)).toEqual([true, true])
    await socket.close()
  })

  it('can wait for the first of two', async () => {
    const quiet = await connect(await serverOf(silent))
    const loud = await connect(await serverOf(saying('x')))
    const wait = async (socket: PluginSocket) => ((await socket.waitReadable()) ? socket : undefined)
    expect(await Promise.race([wait(quiet), wait(loud)])).toBe(loud)
    await loud.close()
    // Who waited for the other is released, with the reason.
    const late = expect(quiet.waitReadable()).rejects.toThrow(/the socket is closed/)
    await quiet.close()
    await late
  })

  it('refuses amounts that are none', async () => {
    const socket = await connect(await serverOf(echo))
    const bad = { code: 'API_ARGUMENT' }
    await expect(socket.read(0)).rejects.toMatchObject(bad)
    await expect(socket.read(1.5)).rejects.toMatchObject(bad)
    await expect(socket.read(1, { timeout: 0 })).rejects.toMatchObject(bad)
    await expect(socket.readExactly(-1)).rejects.toMatchObject(bad)
    await expect(socket.readExactly(64 * 1024 * 1024 + 1)).rejects.toMatchObject(bad)
    await expect(socket.readLine({ limit: 0 })).rejects.toMatchObject(bad)
    await expect(socket.readToEnd({ limit: -1 })).rejects.toMatchObject(bad)
    await expect(socket.write('text' as unknown as Uint8Array)).rejects.toMatchObject(bad)
    await expect(socket.write(Buffer.from('x'), { timeout: Number.NaN })).rejects.toMatchObject(bad)
    await expect(socket.pipe(() => {}, { limit: -1 })).rejects.toMatchObject(bad)
    await expect(socket.waitWritable(-1)).rejects.toMatchObject(bad)
    expect(() => waitMilliseconds(-1)).toThrow(/0 to 86400000 milliseconds/)
    expect(() => waitMilliseconds(Number.NaN)).toThrow(expect.objectContaining(bad))
    await socket.write(Buffer.from('x'))
    expect(text(await socket.read())).toBe('x')
    await socket.close()
  })

  it('holds the other side back while nobody reads', async () => {
    const total = 16 * 1024 * 1024
    let sent = 0
    const address = await serverOf((socket) => {
      const chunk = Buffer.alloc(65_536, 'z')
      const more = (): void => {
        while (sent < total) {
          sent += chunk.length
          if (!socket.write(chunk)) return void socket.once('drain', more)
        }
        socket.end()
      }
      more()
    })
    const socket = await connect(address)
    expect((await socket.read(1)).length).toBe(1)
    // It stops by itself: what the kernel holds and what the socket holds, and not one byte more.
    let before = -1
    while (before !== sent) {
      before = sent
      await waitMilliseconds(100)
    }
    expect(sent).toBeLessThan(total)
    let count = 1
    for (let piece = await socket.read(); piece.length > 0; piece = await socket.read()) count += piece.length
    expect(count).toBe(total)
    await socket.close()
  })

  it('gives the bytes that came, whatever pieces they came in and are asked for in', async () => {
    const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 8 })
    const ask = fc.oneof(
      fc.record({ kind: fc.constantFrom('read', 'exactly'), count: fc.integer({ min: 1, max: 60 }) }),
      fc.constant({ kind: 'line', count: 0 }),
    )
    await fc.assert(
      fc.asyncProperty(pieces, fc.array(ask), async (chunks, asks) => {
        const whole = Buffer.concat(chunks)
        const socket = await connect(await serverOf(saying(...chunks)))
        let at = 0
        for (const { kind, count } of asks) {
          let expected: Buffer
          let answer: Buffer
          if (kind === 'read') {
            answer = await socket.read(count)
            expect(answer.length > 0).toBe(at < whole.length)
            expected = whole.subarray(at, at + answer.length)
          } else if (kind === 'exactly') {
            const left = Math.min(count, whole.length - at)
            answer = await socket.readExactly(left)
            expected = whole.subarray(at, at + left)
          } else {
            answer = await socket.readLine()
            const feed = whole.indexOf(10, at)
            expected = whole.subarray(at, feed === -1 ? whole.length : feed + 1)
          }
          expect(answer.equals(expected)).toBe(true)
          at += answer.length
        }
        expect((await socket.readToEnd()).equals(whole.subarray(at))).toBe(true)
        await socket.close()
      }),
      { numRuns: 40 },
    )
  })
})

describe('writing', () => {
  it('puts the bytes of many writes in the order of the calls', async () => {
    const socket = await connect(await serverOf(echo))
    const large = Buffer.alloc(300_000, 'l')
    const whole = socket.readExactly(300_004)
    await Promise.all([
      socket.write(Buffer.from('ab')),
      socket.write(large),
      socket.write(new Uint8Array(0)),
      socket.write(Buffer.from('yz')),
    ])
    expect(text(await whole)).toBe(`ab${large}yz`)
    expect(await socket.waitWritable()).toBe(true)
    await socket.close()
  })

  it('takes bytes of shared memory', async () => {
    const socket = await connect(await serverOf(echo))
    const shared = new Uint8Array(new SharedArrayBuffer(4)).fill(65)
    await socket.write(shared)
    expect(text(await socket.readExactly(4))).toBe('AAAA')
    await socket.close()
  })

  it('waits until the system has taken them, and gives up when it takes none', async () => {
    const address = await serverOf((socket) => socket.pause())
    const socket = await connect(address)
    const chunk = Buffer.alloc(64 * 1024 * 1024)
    const writing = socket.write(chunk, { timeout: 0.3 }).catch((error: unknown) => error)
    expect(await socket.waitWritable(0.05)).toBe(false)
    const failure = await writing
    expect(failure).toBeInstanceOf(TimeoutError)
    expect(failure).toMatchObject(io(address, 'took no bytes for 0.3 seconds'))
    await expect(socket.write(chunk)).rejects.toMatchObject(io(address, 'took no bytes for 0.3 seconds'))
    await socket.close()
  })

  it('ends, and reads on', async () => {
    const address = await serverOf((socket) => {
      let said = ''
      socket.on('data', (chunk) => (said += chunk)).on('end', () => socket.end(`got ${said}`))
    })
    const socket = await connect(address)
    void socket.write(Buffer.from('all'))
    await socket.end()
    expect(text(await socket.readToEnd())).toBe('got all')
    await socket.close()
  })
})

describe('a pipe', () => {
  it('passes everything on, or so many bytes, to a socket or a function', async () => {
    const bytes = Buffer.alloc(200_000, 'abcdefg')
    const from = await connect(await serverOf(saying(bytes)))
    const to = await connect(await serverOf(echo))
    const back = to.readExactly(100_000)
    expect(await from.pipe(to, { limit: 100_000 })).toBe(100_000)
    const rest: Buffer[] = []
    expect(await from.pipe((piece) => void rest.push(piece))).toBe(100_000)
    expect(Buffer.concat([await back, ...rest]).equals(bytes)).toBe(true)
    expect(await from.pipe(to)).toBe(0)
    await from.close()
    await to.close()
  })

  it('waits for its target, and ends with its error', async () => {
    const from = await connect(await serverOf(saying('a', 'b', 'c')))
    let running = 0
    let most = 0
    await from.pipe(async () => {
      running += 1
      most = Math.max(most, running)
      await waitMilliseconds(1)
      running -= 1
    })
    expect(most).toBe(1)
    const other = await connect(await serverOf(saying('a')))
    await expect(other.pipe(() => Promise.reject(new Error('full')))).rejects.toThrow('full')
    const quiet = await connect(await serverOf(silent))
    await expect(quiet.pipe(() => {}, { timeout: 0.02 })).rejects.toBeInstanceOf(TimeoutError)
    for (const socket of [from, other, quiet]) await socket.close()
  })
})

describe('a wait of milliseconds', () => {
  it('takes as long as it says', async () => {
    const before = performance.now()
    await waitMilliseconds(20)
    expect(performance.now() - before).toBeGreaterThanOrEqual(19)
  })
})
