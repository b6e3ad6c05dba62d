// The plugin that answers RPC calls of other servers (modifier1 173). modifier2 says how: 0 with a packet, 2 with HTTP for a
// call that is itself an HTTP request (`/function/argument/argument`), anything else with the bare result.
// Invariant: a call that fails is told so in the caller's own form: an HTTP status, or a connection closed without a byte.
import { ProtocolError } from '../../protocol/errors.ts'
import { modifiers } from '../../protocol/modifiers.ts'
import { decodeRpcCall, encodeRpcAnswerHead, maxRpcArguments, type RpcCall, RpcMode } from '../../protocol/rpc-packets.ts'
import type { Log, Rpc } from '../api/context.ts'
import { GuestError, PolywsgiError } from '../errors.ts'
import type { Plugin, RequestResult } from '../plugin/plugin.ts'
import type { WsgiRequest } from '../request/wsgi-request.ts'

type Answer = Uint8Array | undefined
type Respond = (request: WsgiRequest, answer: Answer) => Promise<RequestResult>

const done = 0
const utf8 = new TextDecoder('utf-8', { fatal: true })

export const createRpcPlugin = (): Plugin => {
  let rpc: Rpc
  let log: Log

  /** The function's answer. What it threw is in the log, and `undefined` the answer. */
  const run = async ({ name, args }: RpcCall): Promise<{ answer: Answer; hasRaised: boolean }> => {
    let text: string
    try {
      text = utf8.decode(name)
    } catch {
      return { answer: undefined, hasRaised: false }
    }
    try {
      return { answer: await rpc.callAsync(text, args), hasRaised: false }
    } catch (error) {
      if (!(error instanceof PolywsgiError)) throw error
      log.text(error instanceof GuestError ? error.report : error.message)
      return { answer: undefined, hasRaised: true }
    }
  }

  const callOf = (request: WsgiRequest): RpcCall | undefined => {
    try {
      const call = decodeRpcCall(request.vars)
      if (call === undefined) log.text('empty RPC request, skipped')
      return call
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error
      log.text(`invalid RPC request, skipped: ${error.message}`)
      return undefined
    }
  }

  const serve = async (request: WsgiRequest, respond: Respond): Promise<RequestResult> => {
    const call = callOf(request)
    return await respond(request, call === undefined ? undefined : (await run(call)).answer)
  }

  const serveHttp = async (request: WsgiRequest): Promise<RequestResult> => {
    const [, name = '', ...args] = (request.getVar('PATH_INFO') ?? '')
      .replace(/\/$/, '')
      .split('/')
      .map((part) => Buffer.from(part, 'latin1'))
    // As uWSGI answers a path that names nothing.
    if (name.length === 0) return await refuse(request, '500 Internal Server Error')
    if (args.length > maxRpcArguments) return await refuse(request, '400 Bad Request')
    const { answer, hasRaised } = await run({ name: name as Uint8Array, args })
    // Differs from uWSGI: a function that raised is no function that is not there.
    if (hasRaised) return await refuse(request, '500 Internal Server Error')
    if (answer === undefined) return await refuse(request, '404 Not Found')
    request.prepareHeaders('200 OK')
    request.addHeader('Content-Length', String(answer.length))
    request.addHeader('Content-Type', contentTypeFor(request.getVar('HTTP_ACCEPT')))
    await request.finishAsync(answer)
    return done
  }

  return {
    name: 'rpc',
    modifier1: modifiers.rpc.modifier1,

    postFork(context) {
      rpc = context.server.rpc
      log = context.log
    },

    request(request) {
      if (request.modifier2 === RpcMode.http) return serveHttp(request)
      return serve(request, request.modifier2 === RpcMode.packet ? respondWithPacket : respondRaw)
    },
  }
}

const respondWithPacket: Respond = async (request, answer) => {
  if (answer === undefined) return await respondRaw(request, undefined)
  await request.writeRawAsync(encodeRpcAnswerHead(answer.length))
  await request.finishAsync(answer)
  return done
}

const respondRaw: Respond = async (request, answer) => {
  await request.writeRawAsync(answer ?? new Uint8Array(0))
  await request.finishAsync()
  return done
}

const refuse = async (request: WsgiRequest, status: string): Promise<RequestResult> => {
  request.prepareHeaders(status)
  request.addHeader('Content-Type', 'text/plain')
  await request.finishAsync(Buffer.from(`${status.slice(4)}\n`))
  return done
}

const oneMediaType = /^[\w!#$&^.+-]+\/[\w!#$&^.+-]+$/

/** Differs from uWSGI: only an Accept that names one type is taken as the answer's, where it copies lists with weights too. */
const contentTypeFor = (accept: string | undefined): string =>
  accept !== undefined && oneMediaType.test(accept) ? accept : 'application/binary'

export default createRpcPlugin()
