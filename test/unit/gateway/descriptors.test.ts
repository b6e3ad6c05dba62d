// Connections that guests open, against a server of the test.
import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { anywhere } from '../../../host/gateway/connect-permission.ts'
import { Descriptors, firstDescriptor, mostConnections } from '../../../host/gateway/descriptors.ts'
import type { CallHandlers } from '../../../host/master/call-handlers.ts'

type Rows = Pick<CallHandlers, 'connect' | 'send' | 'recv' | 'close' | 'isConnected'>

describe('descriptors', () => {
  let descriptors: Descriptors
  let rows: Rows
  let server: Server
  let address: string
  let accepted: Socket[]
  const me = { thread: 1 }
  const timeoutMs = 5000

  beforeEach(async () => {
    descriptors = new Descriptors({ permission: anywhere, most: mostConnections(1) })
    rows = descriptors.handlers
    accepted = []
    server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {})
      accepted.push(socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    address = `127.0.0.1:${(server.address() as { port: number }).port}`
  })
  afterEach(() => {
    descriptors.close()
    for (const socket of accepted) socket.destroy()
    server.close()
  })

  const connect = async (caller = me): Promise<number> => (await rows.connect({ address, timeoutMs }, caller)) as number
  /** The other end of the newest connection. */
  const peer = async (count = 1): Promise<Socket> => {
    while (accepted.length < count) await new Promise((resolve) => server.once('connection', resolve))
    return accepted[count - 1] as Socket
  }
  const recv = async (fd: number, max = 4096, wait = timeoutMs) => {
    const bytes = await rows.recv({ fd, max, timeoutMs: wait }, me)
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1')
  }
  const closed = (socket: Socket): Promise<unknown> => new Promise((resolve) => socket.once('close', resolve))

  it('send and receive bytes', async () => {
    const fd = await connect()
    const other = await peer()
    expect(fd).toBeGreaterThanOrEqual(firstDescriptor)
    expect(await rows.send({ fd, data: Uint8Array.of(0, 255, 10), timeoutMs }, me)).toBe(true)
    const [heard] = (await new Promise((resolve) => other.once('data', (chunk: Buffer) => resolve([chunk])))) as [Buffer]
    expect([...heard]).toEqual([0, 255, 10])
    other.write('abcdef')
    expect(await recv(fd, 4)).toBe('abcd')
    expect(await recv(fd, 4)).toBe('ef')
  })

  it('wait for bytes, and see the end after the last of them', async () => {
    const fd = await connect()
    const other = await peer()
    const waiting = recv(fd)
    other.end('last')
    expect(await waiting).toBe('last')
    expect([await recv(fd), await recv(fd)]).toEqual([undefined, undefined])
    // Only the other side has ended: it may still be told something.
    expect(await rows.send({ fd, data: Buffer.from('x'), timeoutMs }, me)).toBe(true)
    expect(await rows.isConnected({ fd }, me)).toBe(true)
  })

  it('receive a long stream in bounded pieces, each in memory of its own', async () => {
    const fd = await connect()
    const other = await peer()
    const total = 8 * 1024 * 1024
    other.write(Buffer.alloc(total))
    let received = 0
    while (received < total) {
      const piece = (await rows.recv({ fd, max: 2 ** 30, timeoutMs }, me)) as Uint8Array
      expect(piece.length).toBeLessThanOrEqual(1024 * 1024)
      expect(piece.buffer.byteLength).toBe(piece.length)
      received += piece.length
    }
    expect(received).toBe(total)
  })

  it('say that nothing came in time, and go on', async () => {
    const fd = await connect()
    await expect(recv(fd, 10, 20)).rejects.toThrow(`uwsgi.recv(): descriptor ${fd}: nothing came in 0.02 seconds`)
    ;(await peer()).write('late')
    expect(await recv(fd)).toBe('late')
  })

  it('say that the other side takes nothing, and close', async () => {
    const fd = await connect()
    ;(await peer()).pause()
    const data = new Uint8Array(64 * 1024 * 1024)
    await expect((async () => rows.send({ fd, data, timeoutMs: 100 }, me))()).rejects.toThrow('takes nothing, connection closed')
    expect(await rows.isConnected({ fd }, me)).toBe(false)
    expect(await rows.send({ fd, data: Buffer.from('x'), timeoutMs }, me)).toBe(false)
    expect(await recv(fd)).toBeUndefined()
  })

  it('send nothing to a side that is gone', async () => {
    const fd = await connect()
    const waiting = recv(fd)
    ;(await peer()).resetAndDestroy()
    expect(await waiting).toBeUndefined()
    expect(await rows.send({ fd, data: Buffer.from('x'), timeoutMs }, me)).toBe(false)
    expect(await rows.isConnected({ fd }, me)).toBe(false)
  })

  it('notice that they were reset, also when nobody reads them', async () => {
    const fd = await connect()
    const other = await peer()
    expect(await rows.isConnected({ fd }, me)).toBe(true)
    const gone = closed(other)
    other.resetAndDestroy()
    await gone
    while (await rows.isConnected({ fd }, me)) await new Promise((resolve) => setImmediate(resolve))
    expect(await rows.send({ fd, data: Buffer.from('x'), timeoutMs }, me)).toBe(false)
  })

  it('are read to the end of what came before they failed', async () => {
    const fd = await connect()
    const other = await peer()
    other.write('abc')
    expect(await recv(fd, 1)).toBe('a')
    const gone = closed(other)
    other.resetAndDestroy()
    await gone
    while (await rows.isConnected({ fd }, me)) await rows.send({ fd, data: Buffer.from('x'), timeoutMs }, me)
    expect([await recv(fd, 1), await recv(fd), await recv(fd)]).toEqual(['b', 'c', undefined])
  })

  it('lead to a host by its name', async () => {
    const fd = (await rows.connect({ address: address.replace('127.0.0.1', 'localhost'), timeoutMs }, me)) as number
    ;(await peer()).end('hello')
    expect([await recv(fd), await recv(fd)]).toEqual(['hello', undefined])
    await expect((async () => rows.connect({ address: 'name.invalid:1', timeoutMs }, me))()).rejects.toThrow(
      'uwsgi.connect(): unable to connect to name.invalid:1: ',
    )
  })

  it('deliver what was sent before they are closed', async () => {
    const fd = await connect()
    const other = await peer()
    const heard: Buffer[] = []
    other.on('data', (chunk: Buffer) => heard.push(chunk))
    const ended = new Promise((resolve) => other.once('end', resolve))
    await rows.send({ fd, data: Buffer.alloc(300_000, 'x'), timeoutMs }, me)
    rows.close({ fd }, me)
    await ended
    expect(Buffer.concat(heard).length).toBe(300_000)
    expect(await rows.isConnected({ fd }, me)).toBe(false)
    expect(rows.close({ fd }, me)).toBeUndefined()
    await expect(recv(fd)).rejects.toThrow(`uwsgi.recv(): ${fd} is no open connection of this thread`)
  })

  it("are their thread's own", async () => {
    const fd = await connect()
    const stranger = { thread: 2 }
    expect(await rows.isConnected({ fd }, stranger)).toBe(false)
    rows.close({ fd }, stranger)
    expect(await rows.isConnected({ fd }, me)).toBe(true)
    await expect((async () => rows.send({ fd, data: Buffer.from('x'), timeoutMs }, stranger))()).rejects.toThrow(
      'no open connection',
    )
    expect(await connect(stranger)).not.toBe(fd)
  })

  it('are closed with their thread, connecting ones too', async () => {
    await connect()
    const other = await peer()
    const connecting = connect()
    const gone = closed(other.resume())
    descriptors.threadEnded(1)
    await expect(connecting).rejects.toThrow('the thread has ended')
    other.end()
    await gone
  })

  it('are at most 1024 in a thread', async () => {
    const fds: number[] = []
    while (fds.length < 1024) fds.push(...(await Promise.all(Array.from({ length: 128 }, () => connect()))))
    await expect(connect()).rejects.toThrow('uwsgi.connect(): there are 1024 open connections already: close some')
    rows.close({ fd: fds[0] as number }, me)
    expect(new Set([...fds, await connect()]).size).toBe(1025)
  })

  it('fail to connect by name of the address', async () => {
    await expect((async () => rows.connect({ address: '/nowhere/x.sock', timeoutMs }, me))()).rejects.toThrow(
      'uwsgi.connect(): unable to connect to /nowhere/x.sock: there is no such socket',
    )
    await expect((async () => rows.connect({ address: 'h:99999', timeoutMs }, me))()).rejects.toThrow(
      'the port of the address "h:99999"',
    )
  })
})
