// The benchmark's own HTTP client, for what wrk cannot do: ask once, ask until a server that is starting answers, count the
// clients that are served, move one large body. Loads are never made with it: it shares this process with the measuring.
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Child } from './processes.ts'

export interface Answer {
  readonly status: number
  readonly body: Buffer
}

const answerTimeoutMs = 30_000
/** Between two tries of a server that is starting; also the resolution of the start-up times. */
const retryPauseMs = 1

/** `count` ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      const listening = Promise.withResolvers<void>()
      server.once('error', listening.reject).listen(0, '127.0.0.1', listening.resolve)
      await listening.promise
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Waits until the port takes connections; throws when its process ends first or time is up. */
export async function waitForPort(port: number, owner: Child, timeoutMs: number): Promise<void> {
  const since = performance.now()
  while (!(await takesConnections(port))) {
    if (owner.hasEnded()) throw new Error(`${owner.name} ended before it listened:\n${owner.output().trim()}`)
    if (performance.now() - since > timeoutMs)
      throw new Error(`${owner.name} does not listen on port ${port} after ${timeoutMs} ms`)
    await delay(retryPauseMs)
  }
}

async function takesConnections(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false))
  const result = await promise
  socket.destroy()
  return result
}

/** One request on a connection of its own; rejects when the connection fails or no whole answer comes in 30 seconds. */
export async function ask(url: string, body?: Buffer): Promise<Answer> {
  return await readAnswer(open(url, new Agent(), body))
}

/**
 * Asks until the server answers 200 with `body`, and resolves with the milliseconds since `since` (of `performance.now()`).
 * Connections that are refused or cut, and other answers, mean "not yet". `owner` is the server's process, which must not end
 * meanwhile.
 */
export async function firstAnswer(url: string, body: string, since: number, timeoutMs: number, owner: Child): Promise<number> {
  for (;;) {
    const answer = await ask(url).catch(() => undefined)
    const elapsedMs = performance.now() - since
    if (answer?.status === 200 && answer.body.toString() === body) return elapsedMs
    if (owner.hasEnded()) throw new Error(`${owner.name} ended before its first answer:\n${owner.output().trim()}`)
    if (elapsedMs > timeoutMs) {
      const last = answer === undefined ? 'none' : `${answer.status} "${answer.body.toString().slice(0, 80).trim()}"`
      throw new Error(`${url} does not answer "${body}" in ${timeoutMs} ms; its last answer: ${last}`)
    }
    await delay(retryPauseMs)
  }
}

/** Whether three requests in a row travel over one connection. */
export async function keepsAlive(url: string): Promise<boolean> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  try {
    const reused: boolean[] = []
    for (let i = 0; i < 3; i++) {
      const pending = open(url, agent)
      await readAnswer(pending)
      reused.push(pending.reusedSocket)
    }
    return reused.join() === 'false,true,true'
  } finally {
    agent.destroy()
  }
}

/**
 * Opens `clients` keep-alive connections at once, asks on each, and counts those that have their answer within `patienceMs`.
 * The connections stay open meanwhile, as those of a load run do: a worker that keeps to one connection leaves others waiting.
 */
export async function servedClients(url: string, clients: number, patienceMs: number): Promise<number> {
  const agents = Array.from({ length: clients }, () => new Agent({ keepAlive: true, maxSockets: 1 }))
  let served = 0
  const asked = agents.map((agent) =>
    readAnswer(open(url, agent)).then(
      (answer) => {
        if (answer.status === 200) served++
      },
      () => undefined,
    ),
  )
  const timer = new AbortController()
  await Promise.race([Promise.all(asked), delay(patienceMs, undefined, { signal: timer.signal }).catch(() => undefined)])
  timer.abort()
  const result = served
  for (const agent of agents) agent.destroy()
  await Promise.all(asked)
  return result
}

export interface Transfer {
  readonly bytes: number
  readonly seconds: number
}

/** Sends a POST of `bytes` bytes in pieces of 64 KB as fast as they are taken; the answer must be the number of bytes. */
export async function upload(url: string, bytes: number): Promise<Transfer> {
  const started = performance.now()
  const pending = openWith(url, new Agent(), { method: 'POST', headers: { 'content-length': bytes } })
  const answered = readAnswer(pending)
  const piece = Buffer.alloc(65536, 'x')
  for (let left = bytes; left > 0 && !pending.destroyed; left -= piece.length) {
    if (!pending.write(left < piece.length ? piece.subarray(0, left) : piece)) await writable(pending)
  }
  pending.end()
  const answer = await answered
  const seconds = (performance.now() - started) / 1000
  if (answer.status !== 200 || answer.body.toString() !== String(bytes)) {
    throw new Error(`${url} answered ${answer.status} "${answer.body.toString().slice(0, 80)}" to an upload of ${bytes} bytes`)
  }
  return { bytes, seconds }
}

async function writable(pending: ClientRequest): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  pending.once('drain', resolve).once('close', resolve)
  await promise
  pending.off('drain', resolve).off('close', resolve)
}

/** Reads a whole answer and drops it. With `stallMs`, the client takes nothing for that long after the first piece. */
export async function download(url: string, stallMs = 0): Promise<Transfer> {
  const started = performance.now()
  const pending = open(url, new Agent())
  const response = await responseOf(pending)
  let bytes = 0
  let mayStall = stallMs > 0
  for await (const piece of response) {
    bytes += (piece as Buffer).length
    if (mayStall) {
      mayStall = false
      await delay(stallMs)
    }
  }
  if (response.statusCode !== 200) throw new Error(`${url} answered ${response.statusCode} to a download`)
  return { bytes, seconds: (performance.now() - started) / 1000 }
}

function open(url: string, agent: Agent, body?: Buffer): ClientRequest {
  const pending = openWith(url, agent, body === undefined ? {} : { method: 'POST', headers: { 'content-length': body.length } })
  pending.end(body)
  return pending
}

function openWith(url: string, agent: Agent, options: { method?: string; headers?: Record<string, number> }): ClientRequest {
  return request(url, { agent, ...options })
}

async function readAnswer(pending: ClientRequest): Promise<Answer> {
  pending.setTimeout(answerTimeoutMs, () => pending.destroy(new Error(`no answer in ${answerTimeoutMs} ms`)))
  const response = await responseOf(pending)
  const pieces: Buffer[] = []
  for await (const piece of response) pieces.push(piece as Buffer)
  return { status: response.statusCode ?? 0, body: Buffer.concat(pieces) }
}

async function responseOf(pending: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  pending.once('response', resolve).on('error', reject)
  return await promise
}
