// The two ends of the socket by which a running server is commanded: lines of JSON on a unix socket.
// Invariant: a question is answered before the next one of its connection is run, and a client that is slow, silent or gone
// holds nothing but its own connection.
import { connect, createServer, type Socket } from 'node:net'
import { type Answer, LineSplitter, parseQuestion, type Question, Refusal } from '../control/lines.ts'
import type { ObservedServer } from './stats-server.ts'

/** Those past this many at once are closed. */
const mostClients = 32
/** How long a client may be silent while nothing is done for it, and take to read an answer. */
const idleMs = 60_000

export interface ControlServerOptions {
  /** @throws Refusal, or anything whose message whoever asks is to read */
  run(question: Question): Promise<unknown>
}

export const createControlServer = ({ run }: ControlServerOptions): ObservedServer => {
  const server = createServer({ allowHalfOpen: true })
  const sockets = new Set<Socket>()
  server.maxConnections = mostClients
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
    converse(socket, run)
  })
  return {
    server,
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroySoon()
    },
  }
}

const converse = (socket: Socket, run: ControlServerOptions['run']): void => {
  const splitter = new LineSplitter()
  let answered = Promise.resolve()
  socket.setTimeout(idleMs, () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    let lines: string[]
    try {
      lines = splitter.push(chunk)
    } catch (error) {
      socket.end(encode({ ok: false, error: (error as Error).message }))
      return
    }
    // Whoever does not wait for an answer is not read: what it sends stays in its own buffers.
    socket.pause()
    answered = answered.then(() => answerAll(socket, lines, run)).then(() => void socket.resume())
  })
  // It may have said all that it has to say before the first answer.
  socket.on('end', () => void answered.then(() => socket.end()))
}

const encode = (answer: Answer): string => `${JSON.stringify(answer)}\n`

const answerAll = async (socket: Socket, lines: readonly string[], run: ControlServerOptions['run']): Promise<void> => {
  for (const line of lines) {
    // A reload takes as long as it takes.
    socket.setTimeout(0)
    const answer = await answerTo(line, run)
    if (socket.destroyed) return
    socket.setTimeout(idleMs)
    // One answer at a time is held for a client that does not read.
    if (!socket.write(encode(answer))) await new Promise<void>((resolve) => socket.once('drain', resolve).once('close', resolve))
  }
}

const answerTo = async (line: string, run: ControlServerOptions['run']): Promise<Answer> => {
  try {
    return { ok: true, result: (await run(parseQuestion(line))) ?? null }
  } catch (error) {
    return { ok: false, error: (error as Error)?.message ?? String(error) }
  }
}

/**
 * Asks a server one question.
 * @throws Error saying why there is no server at the path, or no answer
 */
export const askServer = (path: string, question: Question): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const socket = connect(path)
    const splitter = new LineSplitter()
    const fail = (why: string): void => {
      socket.destroy()
      reject(new Error(`no answer from ${path}: ${why}`))
    }
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.syscall !== 'connect') return fail(error.message)
      const why = { ENOENT: 'there is no such socket', ECONNREFUSED: 'nobody listens there', EACCES: 'permission denied' }
      const reason = (why as Record<string, string>)[error.code ?? ''] ?? error.message
      reject(new Error(`no server at ${path}: ${reason}`))
    })
    socket.on('connect', () => socket.write(`${JSON.stringify(question)}\n`))
    socket.on('data', (chunk: Buffer) => {
      try {
        const [line] = splitter.push(chunk)
        if (line === undefined) return
        socket.destroy()
        resolve(JSON.parse(line) as Answer)
      } catch (error) {
        fail(error instanceof Refusal ? error.message : 'what came is not the answer of a polywsgi server')
      }
    })
    socket.on('end', () => fail('the connection was closed'))
  })
