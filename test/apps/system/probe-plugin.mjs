// A request plugin that does on demand what tests need to see: says what it got, streams, waits, throws, dies. It serves
// modifier1 250, without any interpreter, so that tests of the host start fast.
import { existsSync } from 'node:fs'

const text = (request, body, status = '200 OK') => {
  request.setHead(status, 'Content-Type\0text/plain')
  request.finish(Buffer.from(body, 'latin1'))
  return 0
}

/** Resolves when a file appears: how a test says "go on" to a request that it keeps waiting. The log tells that it waits. */
const appears = async (path) => {
  context.log.text(`holding ${path} in ${workerId}`)
  while (!existsSync(path)) await new Promise((resolve) => setTimeout(resolve, 10))
}

let workerId = 0

const actions = {
  '/worker': (request) => text(request, String(workerId)),
  '/vars': (request) => text(request, [...request.variables()].map(([name, value]) => `${name}=${value}\n`).join('')),
  '/echo': (request) => {
    request.setHead('200 OK', 'Content-Type\0application/octet-stream')
    for (let piece = request.body.read(65536); piece.length > 0; piece = request.body.read(65536)) request.writeBody(piece)
    request.finish()
    return 0
  },
  '/count': (request) => {
    let count = 0
    for (let piece = request.body.read(65536); piece.length > 0; piece = request.body.read(65536)) count += piece.length
    return text(request, `${count} of ${request.body.contentLength}`)
  },
  '/count-async': async (request) => {
    let count = 0
    for (let piece = await request.body.readAsync(65536); piece.length > 0; piece = await request.body.readAsync(65536))
      count += piece.length
    return text(request, `${count} of ${request.body.contentLength}`)
  },
  // Some megabytes, in chunks of 64 KB, as fast as the client takes them.
  '/download': async (request) => {
    const megabytes = Number(request.getVar('QUERY_STRING'))
    const chunk = Buffer.alloc(65536, 'x')
    request.setHead('200 OK', 'Content-Type\0application/octet-stream')
    for (let n = 0; n < megabytes * 16; n += 1) await request.writeBodyAsync(chunk)
    request.finish()
    return 0
  },
  '/two-chunks': async (request) => {
    request.setHead('200 OK', 'Content-Type\0text/plain')
    await request.writeBodyAsync(Buffer.from('first\n'))
    await appears(decodeURIComponent(request.getVar('QUERY_STRING')))
    await request.finishAsync(Buffer.from('second\n'))
    return 0
  },
  '/wait': async (request) => {
    await appears(decodeURIComponent(request.getVar('QUERY_STRING')))
    return text(request, `waited in ${workerId}`)
  },
  '/block': (request) => {
    const path = decodeURIComponent(request.getVar('QUERY_STRING'))
    context.log.text(`holding ${path} in ${workerId}`)
    const word = new Int32Array(new SharedArrayBuffer(4))
    while (!existsSync(path)) Atomics.wait(word, 0, 0, 10)
    return text(request, `blocked ${workerId}`)
  },
  '/until-gone': async (request) => {
    request.setHead('200 OK', 'Content-Type\0text/plain')
    const chunk = Buffer.alloc(65536, 'y')
    try {
      for (;;) await request.writeBodyAsync(chunk)
    } catch (error) {
      context.log.text(`noticed: ${error.code}`)
    }
    return 0
  },
  // Keeps its request, answers, and tries to use the request afterwards: says in the log how that went.
  '/keep': (request) => {
    const path = decodeURIComponent(request.getVar('QUERY_STRING'))
    const { body } = request
    text(request, 'kept')
    const attempts = {
      read: () => body.read(10),
      write: () => request.writeBody(Buffer.from('more')),
      vars: () => request.getVar('PATH_INFO'),
    }
    void appears(path).then(async () => {
      for (const [name, attempt] of Object.entries(attempts)) {
        try {
          context.log.text(`${name} after the end: ${await attempt()}`)
        } catch (error) {
          context.log.text(`${name} after the end: ${error.code} ${error.message}`)
        }
      }
    })
    return 0
  },
  '/throw': () => {
    throw new Error('thrown on demand')
  },
  '/throw-later': async (request) => {
    request.setHead('200 OK', 'Content-Type\0text/plain')
    await request.writeBodyAsync(Buffer.from('some of it'))
    throw new Error('thrown in the middle')
  },
  '/nothing': () => 0,
  '/again': (request) => {
    const count = (counts.get(request) ?? 0) + 1
    counts.set(request, count)
    return count < 3 ? 1 : text(request, `called ${count} times`)
  },
  '/die': () => process.exit(7),
  '/status': (request) => text(request, 'a status', decodeURIComponent(request.getVar('QUERY_STRING'))),
  '/headers': (request) => {
    request.setHead('200 OK', decodeURIComponent(request.getVar('QUERY_STRING')).replaceAll('|', '\0'))
    request.finish(Buffer.from('12345'))
    return 0
  },
}

const counts = new WeakMap()
let context

export default {
  name: 'probe',
  modifier1: 250,
  postFork(worker) {
    context = worker
    workerId = worker.thread.workerId
  },
  request(request) {
    const action = actions[request.getVar('PATH_INFO')]
    return action === undefined ? text(request, 'no such action\n', '404 Not Found') : action(request)
  },
}
