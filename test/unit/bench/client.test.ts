// The benchmark's HTTP client against servers made for each case: it must see what a real server does wrong.
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { ask, download, firstAnswer, freePorts, keepsAlive, servedClients, upload, waitForPort } from '../../../bench/client.ts'
import { startChild } from '../../../bench/processes.ts'

const cleanUps: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

async function serve(listener: RequestListener, onConnection: (socket: Socket) => void = () => undefined): Promise<string> {
  const server = createServer(listener).on('connection', onConnection)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
}

const hello: RequestListener = (_, response) => response.end('hello')

describe('freePorts', () => {
  it('gives different ports', async () => {
    expect(new Set(await freePorts(20)).size).toBe(20)
  })
})

describe('ask', () => {
  it('gives status and body, and sends a body', async () => {
    const url = await serve((request, response) => {
      response.statusCode = 201
      request.pipe(response)
    })
    expect(await ask(url, Buffer.from('a\0b'))).toEqual({ status: 201, body: Buffer.from('a\0b') })
  })

  it('rejects when the server hangs up', async () => {
    const url = await serve((request) => request.socket.destroy())
    await expect(ask(url)).rejects.toThrow('socket hang up')
  })
})

describe('a server that is starting', () => {
  const patienceMs = 60_000
  const starting = () => startChild('starter', 'sleep', ['600'])

  it('is asked until it gives the answer that is waited for', async () => {
    await using child = await starting()
    const answers = ['503 ', '200 somebody else', '200 ready']
    let asked = 0
    const url = await serve((request, response) => {
      const answer = answers[asked++ - 1]
      if (answer === undefined) request.socket.destroy()
      else response.writeHead(Number(answer.slice(0, 3))).end(answer.slice(4))
    })
    expect(await firstAnswer(url, 'ready', performance.now() - 1000, patienceMs, child)).toBeGreaterThanOrEqual(1000)
    expect(asked).toBe(4)
  })

  it('is given up, with its last answer, when time is up', async () => {
    await using child = await starting()
    const url = await serve((_, response) => response.writeHead(500).end('broken\n'))
    await expect(firstAnswer(url, 'ready', performance.now(), 0, child)).rejects.toThrow(
      `${url} does not answer "ready" in 0 ms; its last answer: 500 "broken"`,
    )
  })

  it('is given up, with its last words, when its process ends', async () => {
    const child = await startChild('starter', 'sh', ['-c', 'echo cannot bind >&2'])
    await child.ended
    const [port] = await freePorts(1)
    await expect(firstAnswer(`http://127.0.0.1:${port}/`, 'ready', performance.now(), patienceMs, child)).rejects.toThrow(
      'starter ended before its first answer:\ncannot bind',
    )
    await expect(waitForPort(port!, child, patienceMs)).rejects.toThrow('starter ended before it listened:\ncannot bind')
  })

  it('is waited for until its port takes connections', async () => {
    await using child = await starting()
    const url = await serve(hello)
    await waitForPort(Number(new URL(url).port), child, patienceMs)
    const [closedPort] = await freePorts(1)
    await expect(waitForPort(closedPort!, child, 0)).rejects.toThrow(`starter does not listen on port ${closedPort} after 0 ms`)
  })
})

describe('keepsAlive', () => {
  it('is true of a server that keeps connections open', async () => {
    expect(await keepsAlive(await serve(hello))).toBe(true)
  })

  it('is false of a server that closes them', async () => {
    const url = await serve((_, response) => response.setHeader('connection', 'close').end('hello'))
    expect(await keepsAlive(url)).toBe(false)
  })
})

describe('servedClients', () => {
  const muchPatienceMs = 60_000

  it('counts every client of a server that serves all', async () => {
    expect(await servedClients(await serve(hello), 10, muchPatienceMs)).toBe(10)
  })

  it('does not count clients that are turned away or get an error', async () => {
    let connections = 0
    let requests = 0
    const url = await serve(
      (_, response) => {
        response.statusCode = ++requests === 1 ? 500 : 200
        response.end()
      },
      (socket) => {
        if (++connections > 4) socket.destroy()
      },
    )
    expect(await servedClients(url, 10, muchPatienceMs)).toBe(3)
  })

  it('gives up on clients that are left waiting', async () => {
    // Nobody is ever answered, so the length of the patience decides nothing.
    expect(await servedClients(await serve(() => undefined), 3, 1)).toBe(0)
  })
})

describe('upload and download', () => {
  it('moves a body of any length and tells its size', async () => {
    const url = await serve(async (request, response) => {
      let length = 0
      for await (const piece of request) length += (piece as Buffer).length
      response.end(String(length))
    })
    expect(await upload(url, 200_001)).toMatchObject({ bytes: 200_001 })
  })

  it('refuses an upload whose length comes back wrong', async () => {
    const url = await serve((request, response) => {
      request.resume().on('end', () => response.end('7'))
    })
    await expect(upload(url, 8)).rejects.toThrow(`${url} answered 200 "7" to an upload of 8 bytes`)
  })

  it('counts the bytes of a download, with and without a stall', async () => {
    const url = await serve((_, response) => response.end(Buffer.alloc(300_000)))
    expect(await download(url)).toMatchObject({ bytes: 300_000 })
    expect(await download(url, 1)).toMatchObject({ bytes: 300_000 })
  })

  it('refuses a download with a bad status', async () => {
    const url = await serve((_, response) => {
      response.statusCode = 503
      response.end('no')
    })
    await expect(download(url)).rejects.toThrow(`${url} answered 503 to a download`)
  })
})
