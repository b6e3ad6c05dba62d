// A request plugin (modifier1 250) that answers with what the members of its request do, and asks other servers for answers,
// with nothing but what a third party's plugin has.
import { connect, PolywsgiError, TimeoutError, waitMilliseconds } from 'polywsgi/plugin'
import { encodePacket } from 'polywsgi/protocol'

const text = (request, body) => {
  request.prepareHeaders(200)
  request.addContentType('text/plain')
  request.finish(Buffer.from(String(body), 'latin1'))
  return 0
}
const told = (error) => `${error.name} ${error.code} ${error.message}`
const addressOf = (request) => decodeURIComponent(request.getQueryValue('to'))

const actions = {
  '/members': (request) => {
    const { method, uri, pathInfo, queryString, protocol, host, contentType, contentLength, remoteAddr, userAgent, range } =
      request
    request.setVar('MINE', 'set')
    request.removeVar('HTTP_HOST')
    const age = Date.now() - request.startedAt
    return text(
      request,
      JSON.stringify({
        ...{ method, uri, pathInfo, queryString, protocol, host, contentType, contentLength, remoteAddr, userAgent, range },
        scheme: request.scheme,
        cookie: request.getCookie('b'),
        mine: request.getVar('MINE'),
        hostNow: request.host,
        isNow: age > -1000 && age < 60_000,
      }),
    )
  },
  // As short as it can be.
  '/foobar': (request) => {
    request.addHeader('Content-Type', 'text/plain')
    request.writeBody('i am foobar')
    return 0
  },
  '/head': (request) => {
    request.prepareHeaders(206)
    request.addContentRange(0, 4, 10)
    request.addLastModified(0)
    request.addHeader('X-Gone', '1')
    request.addHeader('X-Kept', '1')
    request.replaceHeader('x-kept', '2')
    request.removeHeader('x-gone')
    request.addContentLength(5)
    request.writeBody(Buffer.from('12345'))
    let after = ''
    try {
      request.addHeader('X-Late', '1')
    } catch (error) {
      after = error.code
    }
    log.text(`after the head: ${after}`)
    return 0
  },
  // Reads as much as the query says in each way. Parks the thread.
  '/body': (request) => {
    const { input } = request
    const first = input.readLine().length
    const second = input.read(10).length
    const third = input.readChunk(5).length
    const rest = input.consume()
    const end = input.position
    let again = 'no'
    if (input.canSeek) {
      input.seek(2)
      again = `${input.read(3)}`
    }
    return text(request, `${first} ${second} ${third} ${rest} ${end} ${again}`)
  },
  '/body-async': async (request) => {
    const { input } = request
    const first = (await input.readLineAsync()).length
    const second = (await input.readAsync(10)).length
    let rest = 0
    for await (const piece of input) rest += piece.length
    return text(request, `${first} ${second} ${rest} ${await input.consumeAsync()}`)
  },
  '/body-limit': (request) => {
    try {
      return text(request, request.input.read(0, { limit: 100 }).length)
    } catch (error) {
      return text(request, told(error))
    }
  },
  '/quiet': (request) => {
    request.doNotLog = true
    request.doNotAccount = true
    return text(request, 'quiet')
  },
  '/loud': (request) => {
    request.logThis = true
    return text(request, 'loud')
  },
  // The request to another node as it came, its body piece by piece, and what that answers back to the client.
  '/proxy': async (request) => {
    await using upstream = await connect(addressOf(request))
    await upstream.write(encodePacket(Number(request.getQueryValue('modifier1') ?? 0), 0, request.vars))
    for await (const piece of request.input) await upstream.write(piece)
    await upstream.pipe((bytes) => request.writeRawAsync(bytes))
    return 0
  },
  '/ask': async (request) => {
    await using socket = await connect(addressOf(request))
    await socket.write(encodePacket(100, 0, new Uint8Array(0)))
    const packet = await socket.readPacket()
    return text(request, `${packet.modifier1} ${packet.modifier2} ${packet.block.length}`)
  },
  '/hold': async (request) => {
    await using socket = await connect(addressOf(request))
    log.text('holding')
    return text(request, await socket.readLine({ timeout: 600 }))
  },
  // With the timeout that the server was started with.
  '/silent': async (request) => {
    try {
      await using socket = await connect(addressOf(request))
      await socket.read()
    } catch (error) {
      return text(request, `${error instanceof TimeoutError} ${error instanceof PolywsgiError} ${told(error)}`)
    }
  },
  '/free': async (request) => {
    await waitMilliseconds(1)
    return text(request, 'free')
  },
}

let log

export default {
  name: 'request-members',
  modifier1: 250,
  postFork(worker) {
    log = worker.log
  },
  request: (request) => actions[request.pathInfo](request),
}
