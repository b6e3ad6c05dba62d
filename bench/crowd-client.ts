// A process of its own that opens many connections to a server, asks on all of them at once when it is told to, and says when
// the first and the last answer had come. It ends with the process that started it.
// Invariant: each connection counts once, as answered or with the reason why it was not.
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

export interface CrowdPlan {
  /** A port on 127.0.0.1, or the path of a unix socket. */
  readonly address: number | string
  readonly connections: number
  /** What each connection sends, in base64. */
  readonly request: string
  /** What each answer has to end with; its status has to be 200. */
  readonly answer: string
  /** From asking to giving up on those without an answer. */
  readonly patienceMs: number
}

export interface CrowdReport {
  readonly answered: number
  /** How often each kind of failure. */
  readonly failures: Readonly<Record<string, number>>
  /** Since all were told to ask; not a number where nothing was answered. */
  readonly firstMs: number
  readonly lastMs: number
  /** When they were told to ask, in milliseconds since 1970 with fractions. */
  readonly askedAt: number
}

export type FromCrowd =
  | { readonly kind: 'opened'; readonly failures: Readonly<Record<string, number>> }
  | { readonly kind: 'report'; readonly report: CrowdReport }

export type ToCrowd = { readonly kind: 'open'; readonly plan: CrowdPlan } | { readonly kind: 'ask' }

/** Connections under way at once: below what any server lets wait for it. */
const openingAtOnce = 64
const openingPauseMs = 10
/** More of an answer than this is not looked at. */
const longestAnswer = 65536

export class Crowd {
  readonly #plan: CrowdPlan
  readonly #sockets: Socket[] = []
  readonly failures: Record<string, number> = {}

  constructor(plan: CrowdPlan) {
    this.#plan = plan
  }

  /** Resolves when every connection is open or has failed. */
  async open(): Promise<void> {
    let left = this.#plan.connections
    const opener = async (): Promise<void> => {
      while (left > 0) {
        left -= 1
        while (await this.#isToBeTriedAgain()) await delay(openingPauseMs)
      }
    }
    await Promise.all(Array.from({ length: openingAtOnce }, opener))
  }

  /** Asks on all that are open, and resolves when each is answered or has failed; closes them all. */
  async ask(): Promise<CrowdReport> {
    const request = Buffer.from(this.#plan.request, 'base64')
    const started = performance.now()
    const times: number[] = []
    const each = this.#sockets.map(async (socket) => {
      const failure = await this.#askOne(socket, request)
      if (failure === undefined) times.push(performance.now() - started)
      else this.#fail(failure)
    })
    await Promise.all(each)
    this.close()
    return {
      answered: times.length,
      failures: this.failures,
      firstMs: times[0] ?? Number.NaN,
      lastMs: times.at(-1) ?? Number.NaN,
      askedAt: performance.timeOrigin + started,
    }
  }

  /** Cut, not closed: closed connections would keep their ports for a minute. */
  close(): void {
    for (const socket of this.#sockets.splice(0)) {
      if (typeof this.#plan.address === 'number') socket.resetAndDestroy()
      else socket.destroy()
    }
  }

  /** Opens one connection. A unix socket refuses those that come faster than its server takes them: that is no failure. */
  async #isToBeTriedAgain(): Promise<boolean> {
    const { address } = this.#plan
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const socket = typeof address === 'number' ? connect(address, '127.0.0.1') : connect(address)
    const fail = (error: NodeJS.ErrnoException): void => {
      const isTooFast = error.code === 'EAGAIN'
      if (!isTooFast) this.#fail(`not opened: ${error.code ?? error.message}`)
      resolve(isTooFast)
    }
    socket.once('error', fail).once('connect', () => {
      socket.off('error', fail).on('error', () => undefined)
      this.#sockets.push(socket)
      resolve(false)
    })
    return await promise
  }

  /** @returns why there is no right answer; undefined when there is */
  async #askOne(socket: Socket, request: Buffer): Promise<string | undefined> {
    const { answer, patienceMs } = this.#plan
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    let text = ''
    const judge = (isOver: boolean): void => {
      const status = /^HTTP\/1\.[01] (\d+)/.exec(text)?.[1]
      if (status === '200' && text.endsWith(answer)) resolve(undefined)
      else if (status !== undefined && status !== '200') resolve(`status ${status}`)
      else if (text.length > longestAnswer) resolve('answer too long')
      else if (isOver) resolve(text === '' ? 'closed without an answer' : 'wrong answer')
    }
    const timer = setTimeout(resolve, patienceMs, 'no answer in time')
    socket.setEncoding('latin1')
    socket.on('data', (piece: string) => {
      text += piece
      judge(false)
    })
    socket.once('close', () => judge(true))
    if (socket.destroyed) resolve('closed before it asked')
    else socket.write(request)
    const failure = await promise
    clearTimeout(timer)
    return failure
  }

  #fail(reason: string): void {
    this.failures[reason] = (this.failures[reason] ?? 0) + 1
  }
}

function serve(): void {
  const send = (message: FromCrowd): void => void process.send?.(message)
  let crowd: Crowd | undefined
  process.on('message', async (message: ToCrowd) => {
    if (message.kind === 'open') {
      crowd = new Crowd(message.plan)
      await crowd.open()
      send({ kind: 'opened', failures: crowd.failures })
    } else if (crowd !== undefined) {
      send({ kind: 'report', report: await crowd.ask() })
    }
  })
  process.once('disconnect', () => process.exit())
}

if (import.meta.main) serve()
