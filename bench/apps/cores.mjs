// What the rows of async cores ask for, named by the query: a sleep, a number of waits, a conversation with a server behind, a
// body up or down; "hello" without one.
import uwsgi from 'uwsgi'

const piece = new Uint8Array(65536).fill(0x61)
const PIECES = 3200
// By HTTP/0.9, whose answers are a body alone.
const QUESTION = 'GET /\r\n'

const actions = {
  async sleep(seconds) {
    uwsgi.asyncSleep(Number(seconds))
    await uwsgi.suspend()
    return 'slept'
  },

  /** Nanoseconds for each turn given to the other cores. */
  async suspend(count) {
    const start = performance.now()
    for (let index = 0; index < Number(count); index += 1) await uwsgi.suspend()
    return String(((performance.now() - start) * 1e6) / Number(count))
  },

  /** Nanoseconds for each wait for a connection that can be written to: the client's, or one to an address after an "@". */
  async writable(argument) {
    const [count, address] = argument.split('@')
    const fd = address === undefined ? uwsgi.connectionFd() : await uwsgi.promises.asyncConnect(address)
    const start = performance.now()
    for (let index = 0; index < Number(count); index += 1) {
      uwsgi.waitFdWrite(fd, 3)
      await uwsgi.suspend()
    }
    const spent = performance.now() - start
    if (address !== undefined) await uwsgi.promises.close(fd)
    return String((spent * 1e6) / Number(count))
  },

  async proxy(address) {
    const fd = await uwsgi.promises.asyncConnect(address)
    uwsgi.waitFdWrite(fd, 3)
    await uwsgi.suspend()
    await uwsgi.promises.send(fd, QUESTION)
    const pieces = []
    let length = 0
    for (;;) {
      uwsgi.waitFdRead(fd, 3)
      await uwsgi.suspend()
      const bytes = await uwsgi.promises.recv(fd, 4096)
      if (bytes === undefined || bytes === null || bytes.length === 0) break
      pieces.push(bytes)
      length += bytes.length
    }
    await uwsgi.promises.close(fd)
    if (pieces.length === 1) return pieces[0]
    const whole = new Uint8Array(length)
    let at = 0
    for (const bytes of pieces) {
      whole.set(bytes, at)
      at += bytes.length
    }
    return whole
  },

  async upload(_, request) {
    let length = 0
    for await (const chunk of request.body) length += chunk.byteLength
    return String(length)
  },
}

function download() {
  let sent = 0
  const body = new ReadableStream({
    pull(controller) {
      if (sent++ === PIECES) controller.close()
      else controller.enqueue(piece)
    },
  })
  return new Response(body, { headers: { 'content-type': 'text/plain', 'content-length': String(piece.length * PIECES) } })
}

export default {
  async fetch(request) {
    const query = request.url.indexOf('?')
    const [name, argument] = query === -1 ? [''] : request.url.slice(query + 1).split('=')
    if (name === 'download') return download()
    const answer = name === '' ? 'hello' : await actions[name](argument, request)
    return new Response(answer, { headers: { 'content-type': 'text/plain', 'content-length': String(answer.length) } })
  },
}
