// Requests that a client sends on one connection ahead of their answers. Node takes them as fast as they come, and each may open
// a file or hold a chunk: one connection could have tens of thousands under way.
// Invariant: of those that wait for the connection only so many have begun; the rest is begun in order, and not read further
// until then.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** As many as a client needs that wants to keep every worker busy. */
export const mostBegun = 32

interface Lane {
  /** Begun, and without the connection. */
  begun: number
  readonly waiting: [IncomingMessage, ServerResponse][]
}

export const boundPipelining = (listener: RequestListener): RequestListener => {
  const lanes = new WeakMap<Socket, Lane>()

  const begin = (lane: Lane, request: IncomingMessage, response: ServerResponse): void => {
    lane.begun += 1
    let isOver = false
    const leave = (): void => {
      if (isOver) return
      isOver = true
      lane.begun -= 1
      beginNext(lane, request.socket)
    }
    response.once('socket', leave)
    response.once('close', leave)
    listener(request, response)
  }

  const beginNext = (lane: Lane, socket: Socket): void => {
    if (socket.destroyed) lane.waiting.length = 0
    const next = lane.waiting.shift()
    if (next === undefined) return
    if (lane.waiting.length === 0) socket.resume()
    begin(lane, ...next)
  }

  return (request, response) => {
    // Nearly always: its turn is now.
    if (response.socket !== null) return listener(request, response)
    const { socket } = request
    const lane = lanes.get(socket) ?? { begun: 0, waiting: [] }
    lanes.set(socket, lane)
    if (lane.begun < mostBegun) return begin(lane, request, response)
    lane.waiting.push([request, response])
    socket.pause()
  }
}
