// Conversations with other servers: every way in which one can answer, or not.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { remoteAddress } from '../../../host/gateway/address.ts'
import { requestRemote } from '../../../host/gateway/remote-client.ts'
import { encodePacket } from '../../../protocol/index.ts'

const servers: Server[] = []
const sockets = new Set<Socket>()
const folder = mkdtempSync(join(tmpdir(), 'polywsgi-remote-'))

afterEach(() => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers.splice(0)) server.close()
})

/** A server that does one thing with each connection. */
const serve = async (serveOne: (socket: Socket) => void, where: string | number = 0): Promise<string> => {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    serveOne(socket)
  })
  servers.push(server)
  await new Promise<void>((resolve) =>
    server.listen(where as number, typeof where === 'number' ? '127.0.0.1' : undefined, resolve),
  )
  const address = server.address()
  return typeof address === 'string' ? address : `127.0.0.1:${address?.port}`
}

const answering =
  (...chunks: Uint8Array[]) =>
  (socket: Socket) => {
    socket.once('data', () => {
      for (const chunk of chunks) socket.write(chunk)
      socket.end()
    })
  }
const ask = (address: string, more: Partial<Parameters<typeof requestRemote>[0]> = {}, log?: (line: string) => void) =>
  requestRemote(
    { address, request: Buffer.from('question'), reply: 'packet', timeoutMs: 5000, ...more },
    { ...(log && { log }), maxReply: 1000 },
  )

const packet = encodePacket(173, 0, Buffer.from('hello'))

describe('a request to another server', () => {
  it('brings the whole answer, whatever follows the packet included', async () => {
    const address = await serve(answering(packet.subarray(0, 3), packet.subarray(3), Buffer.from('and more')))
    expect(Buffer.from((await ask(address)) ?? []).toString('latin1')).toBe('\xad\x05\0\0helloand more')
  })

  it('sends what it is given, and leaves its side open', async () => {
    const seen: string[] = []
    const address = await serve((socket) => {
      socket.on('data', (chunk) => {
        seen.push(chunk.toString())
        socket.end('answer')
      })
      socket.on('end', () => seen.push('ended'))
    })
    expect(Buffer.from((await ask(address, { reply: 'all' })) ?? []).toString()).toBe('answer')
    expect(seen[0]).toBe('question')
  })

  it.each([
    ['unix', join(folder, 'u.sock'), join(folder, 'u.sock')],
    ['abstract', `\0polywsgi-test-${process.pid}`, `@polywsgi-test-${process.pid}`],
  ])('reaches %s sockets', async (_, listen, address) => {
    await serve(answering(packet), listen)
    expect(await ask(address)).toEqual(Buffer.from(packet))
  })

  it('reaches hosts by name, and this machine without one', async () => {
    const port = (await serve(answering(packet))).split(':')[1]
    for (const host of ['localhost', '', '0.0.0.0']) expect(await ask(`${host}:${port}`)).toEqual(Buffer.from(packet))
  })

  it('finds nothing where nobody listens, and logs why', async () => {
    const lines: string[] = []
    const address = await serve(() => {})
    await new Promise((resolve) => servers[0]?.close(resolve))
    expect(await ask(address, {}, (line) => lines.push(line))).toBeUndefined()
    expect(await ask(join(folder, 'none.sock'), {}, (line) => lines.push(line))).toBeUndefined()
    expect(lines).toEqual([
      `unable to connect to ${address}: connection refused`,
      `unable to connect to ${join(folder, 'none.sock')}: there is no such socket`,
    ])
  })

  it('finds nothing where a server closes without a byte', async () => {
    expect(await ask(await serve((socket) => socket.once('data', () => socket.end())))).toBeUndefined()
    expect(await ask(await serve((socket) => socket.once('data', () => socket.resetAndDestroy())))).toBeUndefined()
  })

  it('finds nothing where a server says nothing in time, and logs it', async () => {
    const lines: string[] = []
    expect(await ask(await serve(() => {}), { timeoutMs: 20 }, (line) => lines.push(line))).toBeUndefined()
    expect(lines[0]).toMatch(/^node 127.0.0.1:\d+: was silent for 0.02 seconds$/)
  })

  it('fails when the packet is cut off, by an end or by silence', async () => {
    const cut = await serve(answering(packet.subarray(0, 7)))
    await expect(ask(cut)).rejects.toThrow(`node ${cut}: closed the connection, 2 bytes before the end of its answer`)
    const stuck = await serve((socket) => void socket.once('data', () => socket.write(packet.subarray(0, 2))))
    await expect(ask(stuck, { timeoutMs: 50 })).rejects.toThrow(
      'was silent for 0.05 seconds, 2 bytes before the end of its answer',
    )
  })

  it('fails when the answer comes drop by drop, however long the server could go on', async () => {
    const trickling = await serve((socket) => {
      socket.write(Buffer.from([173, 255, 255, 0]))
      const drops = setInterval(() => socket.write('x'), 5)
      socket.on('close', () => clearInterval(drops))
    })
    await expect(ask(trickling, { timeoutMs: 100 })).rejects.toThrow(
      /(sent only \d+ bytes in|was silent for) 0\.1 seconds, 65\d\d\d bytes before the end of its answer$/,
    )
  })

  it('has a whole packet even where the server then keeps the connection', async () => {
    const address = await serve((socket) => void socket.once('data', () => socket.write(packet)))
    expect(await ask(address, { timeoutMs: 50 })).toEqual(Buffer.from(packet))
    await expect(ask(address, { timeoutMs: 50, reply: 'all' })).rejects.toThrow('in the middle of its answer')
  })

  it('fails when the answer is larger than is allowed', async () => {
    const address = await serve(answering(Buffer.alloc(1001)))
    await expect(ask(address)).rejects.toThrow(`node ${address} answered with more than 1000 bytes`)
  })

  it('fails for what is no address', async () => {
    await expect(ask('')).rejects.toThrow('an empty address')
  })
})

describe('an address to connect to', () => {
  it.each([
    ['10.0.0.1:3031', { host: '10.0.0.1', port: 3031 }],
    [':3031', { host: '127.0.0.1', port: 3031 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['/run/x.sock', { path: '/run/x.sock' }],
    ['@name', { path: '\0name' }],
    ['\0name', { path: '\0name' }],
  ])('%j', (text, target) => expect(remoteAddress(text)).toEqual(target))

  it.each([
    ['h:0', 'the port of the address "h:0" is not a number from 1 to 65535'],
    ['h:70000', 'the port of the address "h:70000" is not a number from 1 to 65535'],
    ['/a\0b', 'the address "/a\\u0000b" holds a NUL byte'],
    ['a b:1', 'the host of the address "a b:1" is not a name or a number'],
    [`/${'x'.repeat(107)}`, 'is longer than 107 bytes'],
  ])('is refused: %j', (text, why) => expect(remoteAddress(text)).toContain(why))
})

afterEach(() => {
  if (servers.length === 0) rmSync(join(folder, 'u.sock'), { force: true })
})
