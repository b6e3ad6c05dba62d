// The sockets at which a server tells of itself: a text for whoever connects, or pages over HTTP.
// Invariant: a client costs one text in memory and a socket for at most `patienceMs`, whatever it does: nothing waits for it.
import { createServer as createHttp, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'

/** How long a client may take to get everything. */
const patienceMs = 10_000
/** Those past this many at once are closed. */
const mostClients = 64
const longestHead = 16 * 1024

export interface Page {
  readonly type: string
  readonly text: string
}

export interface ObservedServer {
  readonly server: Server
  /** Ends it, with the clients that it has. */
  close(): void
}

const observe = (server: Server, connected: (socket: Socket) => void): ObservedServer => {
  const sockets = new Set<Socket>()
  server.maxConnections = mostClients
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    const timer = setTimeout(() => socket.destroy(), patienceMs)
    timer.unref()
    // It has gone before it had everything: nobody else is concerned.
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      clearTimeout(timer)
      sockets.delete(socket)
    })
    connected(socket)
  })
  return {
    server,
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** Whoever connects gets the text and is closed. What it sends is not read. */
export const createDumpServer = (text: () => string): ObservedServer =>
  observe(createServer(), (socket) => {
    socket.resume()
    socket.end(text())
  })

/** @param page of a path; undefined: there is none */
export const createPageServer = (page: (path: string) => Page | undefined): ObservedServer => {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const send = (status: number, { type, text }: Page, more: Record<string, string> = {}): void => {
      const length = Buffer.byteLength(text)
      response.writeHead(status, { Connection: 'close', 'Content-Type': type, 'Content-Length': length, ...more })
      response.end(request.method === 'HEAD' ? undefined : text)
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return send(405, { type: 'text/plain', text: 'GET and HEAD only\n' }, { Allow: 'GET, HEAD' })
    }
    // A proxy asks for the whole address (RFC 9112, 3.2.2).
    const found = page((request.url as string).replace(/^https?:\/\/[^/?#]*/i, '').replace(/[?#].*$/, ''))
    if (found === undefined) return send(404, { type: 'text/plain', text: 'Not Found\n' })
    send(200, found, { 'Access-Control-Allow-Origin': '*' })
  }
  const server = createHttp({ maxHeaderSize: longestHead, headersTimeout: patienceMs, requestTimeout: patienceMs }, answer)
  return observe(server, () => {})
}
