// Connections that are opened without waiting, and waits for many, against real sockets.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { anywhere, ConnectPermission } from '../../../host/gateway/connect-permission.ts'
import { Descriptors, mostConnections } from '../../../host/gateway/descriptors.ts'

const me = { thread: 1 }
const stranger = { thread: 2 }
const timeoutMs = 30_000
/** The most that the system hands over at once. */
const piece = 65_536

/** Listens in a thread that is parked: nothing is accepted. */
const deafServer = async (): Promise<{ address: string; wake(): Promise<unknown> }> => {
  const word = new Int32Array(new SharedArrayBuffer(4))
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    const server = require('node:net').createServer()
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      parentPort.postMessage(server.address().port)
      Atomics.wait(workerData, 0, 0)
      process.exit()
    })`
  const thread = new Worker(code, { eval: true, workerData: word })
  const port = await new Promise((resolve) => thread.once('message', resolve))
  const wake = async (): Promise<unknown> => {
    Atomics.store(word, 0, 1)
    Atomics.notify(word, 0)
    return await new Promise((resolve) => thread.once('exit', resolve))
  }
  return { address: `127.0.0.1:${port}`, wake }
}

interface Listener {
  readonly server: Server
  readonly address: string
  readonly accepted: Socket[]
  peer(count?: number): Promise<Socket>
}

describe.each(['tcp', 'unix'] as const)('connections that nobody waits for (%s)', (kind) => {
  let descriptors: Descriptors
  let rows: Descriptors['handlers']
  let notices: Descriptors['noticeHandlers']
  let directory: string
  let listeners: Listener[]
  let lastId = 0

  const listen = async (): Promise<Listener> => {
    const accepted: Socket[] = []
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {})
      accepted.push(socket)
    })
    const path = join(directory, `${listeners.length}.sock`)
    await new Promise<void>((resolve) => {
      if (kind === 'tcp') server.listen(0, '127.0.0.1', 1024, resolve)
      else server.listen(path, 1024, resolve)
    })
    const address = kind === 'unix' ? path : `127.0.0.1:${(server.address() as { port: number }).port}`
    const peer = async (count = 1): Promise<Socket> => {
      while (accepted.length < count) await new Promise((resolve) => server.once('connection', resolve))
      return accepted[count - 1] as Socket
    }
    const listener = { server, address, accepted, peer }
    listeners.push(listener)
    return listener
  }

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'descriptors-'))
    descriptors = new Descriptors({ permission: anywhere, most: mostConnections(1000) })
    rows = descriptors.handlers
    notices = descriptors.noticeHandlers
    listeners = []
  })
  afterEach(() => {
    descriptors.close()
    for (const { server, accepted } of listeners) {
      for (const socket of accepted) socket.destroy()
      server.close()
    }
    rmSync(directory, { recursive: true })
  })

  const open = async (address: string, wait = timeoutMs, caller = me): Promise<number> =>
    await rows.asyncConnect({ address, timeoutMs: wait }, caller)
  type Direction = 'read' | 'write' | 'both'
  const waitAs = (
    id: number,
    fds: readonly number[],
    direction: Direction = 'read',
    wait = timeoutMs,
    caller = me,
  ): Promise<number> => {
    const interests = fds.map((fd) => ({ fd, read: direction !== 'write', write: direction !== 'read' }))
    return rows.waitFds({ id, fds: interests, timeoutMs: wait }, caller)
  }
  const wait = (fds: readonly number[], direction: Direction = 'read', time = timeoutMs): Promise<number> => {
    lastId += 1
    return waitAs(lastId, fds, direction, time)
  }
  const recv = async (fd: number, max = 4096): Promise<string | undefined> => {
    const bytes = await rows.recv({ fd, max, timeoutMs }, me)
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('latin1')
  }
  const send = (fd: number, text: string): Promise<boolean> => rows.send({ fd, data: Buffer.from(text), timeoutMs }, me)
  const connected = async (listener: Listener): Promise<[number, Socket]> => {
    const fd = await open(listener.address)
    expect(await wait([fd], 'write')).toBe(fd)
    return [fd, await listener.peer()]
  }
  /** An address where nobody listens any more. */
  const deserted = async (): Promise<string> => {
    const { server, address } = await listen()
    await new Promise((resolve) => server.close(resolve))
    return address
  }
  const heard = (socket: Socket): Promise<string> =>
    new Promise((resolve) => socket.once('data', (chunk: Buffer) => resolve(chunk.toString('latin1'))))
  const reset = (socket: Socket): void => void (kind === 'tcp' ? socket.resetAndDestroy() : socket.destroy())

  /** A test of one kind alone: for the other there is none, which is not the same as one that is skipped. */
  const onlyFor = (which: typeof kind) => (which === kind ? it : () => {})

  it('have their number at once, count as connected, and become ready to write', async () => {
    const { address } = await listen()
    const fd = await open(address)
    expect(await rows.isConnected({ fd }, me)).toBe(true)
    expect(await wait([fd], 'write')).toBe(fd)
    expect(await rows.isConnected({ fd }, me)).toBe(true)
  })

  it('are sent to, and read from, while they are being opened', async () => {
    const listener = await listen()
    const fd = await open(listener.address)
    const sending = send(fd, 'early')
    const receiving = recv(fd)
    const other = await listener.peer()
    expect(await heard(other)).toBe('early')
    expect(await sending).toBe(true)
    other.write('answer')
    expect(await receiving).toBe('answer')
  })

  onlyFor('unix')('fail at once where nobody listens, which is known of a unix socket', async () => {
    await expect(open(await deserted())).rejects.toThrow('uwsgi.async_connect(): unable to connect to')
    expect(descriptors.watchers(2 ** 20, 1)).toBe(0)
  })

  onlyFor('tcp')('are ready for everything when they are refused, and good for nothing', async () => {
    const fd = await open(await deserted())
    expect(await wait([fd], 'write')).toBe(fd)
    expect(await wait([fd], 'read')).toBe(fd)
    expect(await rows.isConnected({ fd }, me)).toBe(false)
    expect(await send(fd, 'x')).toBe(false)
    expect(await recv(fd)).toBeUndefined()
    expect(rows.close({ fd }, me)).toBeUndefined()
  })

  onlyFor('tcp')('answer what was begun before they were refused', async () => {
    const fd = await open(await deserted())
    expect(await Promise.all([send(fd, 'x'), recv(fd), wait([fd], 'read')])).toEqual([false, undefined, fd])
  })

  it('are ready to read when there is something, and stay so until it is read', async () => {
    const listener = await listen()
    const [fd, other] = await connected(listener)
    const waiting = wait([fd])
    other.write('ab')
    expect(await waiting).toBe(fd)
    expect(await wait([fd])).toBe(fd)
    expect(await recv(fd, 1)).toBe('a')
    expect(await wait([fd])).toBe(fd)
    expect(await recv(fd, 1)).toBe('b')
    const again = wait([fd])
    other.write('c')
    expect(await again).toBe(fd)
  })

  it('are ready to read at the end, and can still be written to', async () => {
    const listener = await listen()
    const [fd, other] = await connected(listener)
    const waiting = wait([fd])
    other.end()
    expect(await waiting).toBe(fd)
    expect(await recv(fd)).toBeUndefined()
    expect(await wait([fd])).toBe(fd)
    expect(await rows.isConnected({ fd }, me)).toBe(true)
    const hearing = heard(other)
    expect(await send(fd, 'after')).toBe(true)
    expect(await hearing).toBe('after')
  })

  it('are ready when the other side is gone', async () => {
    const listener = await listen()
    const [fd, other] = await connected(listener)
    const waiting = wait([fd])
    reset(other)
    expect(await waiting).toBe(fd)
    expect(await recv(fd)).toBeUndefined()
  })

  it('are the first of those that are ready', async () => {
    const listener = await listen()
    const [first] = await connected(listener)
    const second = await open(listener.address)
    await wait([second], 'write')
    const other = await listener.peer(2)
    const waiting = wait([first, second])
    other.write('x')
    expect(await waiting).toBe(second)
    expect(await wait([first, second], 'both')).toBe(first)
  })

  it('are ready to write again when what was sent has been taken', async () => {
    const listener = await listen()
    const [fd, other] = await connected(listener)
    other.pause()
    const data = new Uint8Array(64 * 1024 * 1024)
    const sending = rows.send({ fd, data, timeoutMs }, me)
    let isReady = false
    const waiting = wait([fd], 'write').then(() => {
      isReady = true
    })
    // More than the system takes.
    expect(await wait([fd], 'read', 10)).toBe(-1)
    expect(isReady).toBe(false)
    other.resume()
    await Promise.all([sending, waiting])
    expect(await sending).toBe(true)
  })

  it('say -1 when the time is over, or the wait is cancelled, and nothing is left of it', async () => {
    const listener = await listen()
    const [fd, other] = await connected(listener)
    expect(await wait([fd], 'read', 5)).toBe(-1)
    expect(descriptors.watchers(fd, 1)).toBe(0)
    const waiting = waitAs(7, [fd], 'read', 0)
    expect(descriptors.watchers(fd, 1)).toBe(1)
    notices.cancelWait({ id: 7 }, stranger)
    expect(descriptors.watchers(fd, 1)).toBe(1)
    notices.cancelWait({ id: 7 }, me)
    expect(await waiting).toBe(-1)
    expect(descriptors.watchers(fd, 1)).toBe(0)
    // Once over, it is nobody's.
    notices.cancelWait({ id: 7 }, me)
    other.write('later')
    expect(await wait([fd])).toBe(fd)
    expect(await recv(fd)).toBe('later')
  })

  it('can be waited for without any, which is a pause', async () => {
    expect(await wait([], 'read', 1)).toBe(-1)
  })

  it('may be waited for twice at once', async () => {
    const listener = await listen()
    const [fd, other] = await connected(listener)
    const waiting = [wait([fd]), wait([fd, fd]), wait([fd], 'read', 0)]
    expect(descriptors.watchers(fd, 1)).toBe(4)
    other.write('x')
    expect(await Promise.all(waiting)).toEqual([fd, fd, fd])
    expect(descriptors.watchers(fd, 1)).toBe(0)
  })

  it('wake who waits for them when they are closed', async () => {
    const listener = await listen()
    const [fd] = await connected(listener)
    const waiting = [wait([fd], 'read', 0), recv(fd)]
    rows.close({ fd }, me)
    expect(await Promise.all(waiting)).toEqual([fd, undefined])
    const opening = await open(listener.address)
    const sending = wait([opening], 'write', 0)
    notices.closeFds({ fds: [opening, fd, 12345] }, me)
    expect(await sending).toBe(opening)
    await expect(wait([opening])).rejects.toThrow('no open connection')
  })

  it('are closed by the request that has ended, after what was sent', async () => {
    const listener = await listen()
    const [first, other] = await connected(listener)
    const second = await open(listener.address)
    await wait([second], 'write')
    const received: Buffer[] = []
    other.on('data', (chunk: Buffer) => received.push(chunk))
    const ended = new Promise((resolve) => other.once('end', resolve))
    await rows.send({ fd: first, data: Buffer.alloc(300_000), timeoutMs }, me)
    notices.closeFds({ fds: [first, second] }, stranger)
    expect(await rows.isConnected({ fd: first }, me)).toBe(true)
    notices.closeFds({ fds: [first, second] }, me)
    await ended
    expect(Buffer.concat(received).length).toBe(300_000)
    expect(await rows.isConnected({ fd: second }, me)).toBe(false)
  })

  it('are dropped with their thread, waits too', async () => {
    const listener = await listen()
    const [fd, other] = await connected(listener)
    const waiting = [wait([fd], 'read', 0), wait([], 'read', 0)]
    const gone = new Promise((resolve) => other.resume().once('end', resolve))
    descriptors.threadEnded(1)
    expect(await Promise.all(waiting)).toEqual([-1, -1])
    await gone
    await expect(wait([fd])).rejects.toThrow()
  })

  it('are refused by name when there are none of that number', async () => {
    const listener = await listen()
    const [fd] = await connected(listener)
    await expect(wait([fd, 3])).rejects.toThrow(
      'uwsgi.wait_fd_read(): unable to fd 3 to the event queue: it is no open connection of this thread',
    )
    await expect(waitAs(1, [fd], 'write', 0, stranger)).rejects.toThrow(
      `uwsgi.wait_fd_write(): unable to fd ${fd} to the event queue`,
    )
    expect(descriptors.watchers(fd, 1)).toBe(0)
  })

  it('read nothing that nobody asks for, and one piece for who waits', async () => {
    const listener = await listen()
    const [fd, other] = await connected(listener)
    const total = 16 * 1024 * 1024
    let sent = 0
    other.write(Buffer.alloc(total), () => {
      sent = total
    })
    expect(descriptors.bytesRead(fd, 1)).toBe(0)
    expect(await wait([fd])).toBe(fd)
    const read = descriptors.bytesRead(fd, 1)
    expect(read).toBeGreaterThan(0)
    expect(read).toBeLessThanOrEqual(piece)
    // However often it is waited for, and whatever else is asked: there is something, and no more is read.
    for (let count = 0; count < 20; count += 1) {
      expect(await wait([fd], 'both')).toBe(fd)
      await rows.isConnected({ fd }, me)
    }
    expect(await wait([], 'read', 5)).toBe(-1)
    expect(descriptors.bytesRead(fd, 1)).toBe(read)
    expect(sent).toBe(0)
    let received = 0
    while (received < total) {
      received += ((await rows.recv({ fd, max: 1024 * 1024, timeoutMs }, me)) as Uint8Array).length
      expect(descriptors.bytesRead(fd, 1)).toBeLessThanOrEqual(received + piece)
    }
    expect(received).toBe(total)
  })

  it('are waited for by 500 at once', async () => {
    const listener = await listen()
    const fds = await Promise.all(Array.from({ length: 500 }, () => open(listener.address)))
    expect(await Promise.all(fds.map((fd) => wait([fd], 'write')))).toEqual(fds)
    await listener.peer(500)
    const waiting = fds.map((fd) => wait([fd], 'read', 0))
    expect(fds.map((fd) => descriptors.watchers(fd, 1))).toEqual(fds.map(() => 1))
    for (const socket of listener.accepted) socket.write('x')
    expect(await Promise.all(waiting)).toEqual(fds)
    expect(await Promise.all(fds.map((fd) => recv(fd)))).toEqual(fds.map(() => 'x'))
    expect(fds.map((fd) => descriptors.watchers(fd, 1))).toEqual(fds.map(() => 0))
    // All of them in one wait.
    const one = wait(fds)
    listener.accepted[321]?.write('y')
    const ready = await one
    expect(await recv(ready)).toBe('y')
    expect(fds.every((fd) => descriptors.watchers(fd, 1) === 0)).toBe(true)
  })

  it('can be given away, and are read by whoever gets them', async () => {
    const listener = await listen()
    const [fd, other] = await connected(listener)
    const waiting = wait([fd], 'read', 0)
    const socket = descriptors.take(fd, 1) as Socket
    expect(await waiting).toBe(fd)
    other.end(Buffer.alloc(1_000_000))
    let length = 0
    for await (const chunk of socket as AsyncIterable<Buffer>) length += chunk.length
    expect(length).toBe(1_000_000)
    expect(descriptors.take(fd, 1)).toBeUndefined()
  })
})

describe('opening a connection', () => {
  const open = (descriptors: Descriptors, address: string) => () => descriptors.handlers.asyncConnect({ address, timeoutMs }, me)

  it('is refused at once for what is no address', () => {
    const descriptors = new Descriptors({ permission: anywhere, most: mostConnections(1) })
    expect(open(descriptors, 'h:99999')).toThrow('uwsgi.async_connect(): the port of the address "h:99999" is not a number')
    expect(open(descriptors, '')).toThrow('uwsgi.async_connect(): an empty address')
  })

  it('is refused where guests may not connect, and allowed elsewhere', async () => {
    const server = createServer((socket) => socket.end('hello'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    const descriptors = new Descriptors({ permission: new ConnectPermission([`*:${port}`], '/'), most: mostConnections(1) })
    const refusal = 'is not among the addresses that guests may connect to (allow-connect)'
    expect(open(descriptors, '10.0.0.1:1')).toThrow(`uwsgi.async_connect(): 10.0.0.1:1 ${refusal}`)
    await expect(descriptors.handlers.connect({ address: '/x.sock', timeoutMs }, me)).rejects.toMatchObject({
      code: 'API_REFUSED',
      message: `uwsgi.connect(): /x.sock ${refusal}`,
    })
    const fd = await descriptors.handlers.connect({ address: `127.0.0.1:${port}`, timeoutMs }, me)
    expect(Buffer.from((await descriptors.handlers.recv({ fd, max: 9, timeoutMs }, me)) as Uint8Array).toString()).toBe('hello')
    descriptors.close()
    server.close()
  })

  it('is in progress until the other side takes it, and is given up when that takes too long', async () => {
    const descriptors = new Descriptors({ permission: anywhere, most: mostConnections(1) })
    const { asyncConnect, isConnected, waitFds, send } = descriptors.handlers
    const { address, wake } = await deafServer()
    // What the system keeps for a server that does not accept is full after some.
    const fds = await Promise.all(Array.from({ length: 8 }, async () => await asyncConnect({ address, timeoutMs: 600_000 }, me)))
    const patient = fds.at(-1) as number
    const wait = (id: number, fd: number, time: number) =>
      waitFds({ id, fds: [{ fd, read: true, write: true }], timeoutMs: time }, me)
    expect(await wait(1, patient, 5)).toBe(-1)
    expect(await isConnected({ fd: patient }, me)).toBe(true)
    const hasty = await asyncConnect({ address, timeoutMs: 20 }, me)
    const sending = send({ fd: hasty, data: Buffer.from('x'), timeoutMs }, me)
    expect(await wait(2, hasty, 0)).toBe(hasty)
    expect(await isConnected({ fd: hasty }, me)).toBe(false)
    expect(await sending).toBe(false)
    await expect(send({ fd: patient, data: Buffer.from('x'), timeoutMs: 5 }, me)).rejects.toThrow(
      `uwsgi.send(): descriptor ${patient}: there is no connection yet, connection closed`,
    )
    expect(await wait(3, patient, 0)).toBe(patient)
    await expect(descriptors.handlers.connect({ address, timeoutMs: 5 }, me)).rejects.toThrow(
      `uwsgi.connect(): unable to connect to ${address}: no connection in 0.005 seconds`,
    )
    descriptors.close()
    await wake()
  })

  it('is possible as often as there is room, which grows with the cores', () => {
    expect([1, 2, 100, 1000].map(mostConnections)).toEqual([1024, 1056, 2624, 17_024])
  })
})
