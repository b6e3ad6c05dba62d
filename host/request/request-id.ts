// The name of a request by which its client, whoever passed it on, and the log can speak of it: the client's own, or a new one.
import { randomUUID } from 'node:crypto'
import { hasVarsBlock } from '../../protocol/modifiers.ts'
import { checkVars, findVar } from '../../protocol/vars.ts'

/** What stands in headers and in lines of the log as it is. Anything else of a client's is no name. */
const sane = /^[A-Za-z0-9][A-Za-z0-9._:+/=@~-]{0,127}$/

/** @param vars the request's block of variables */
export const requestIdOf = (vars: Uint8Array): string => {
  const own = findVar(vars, 'HTTP_X_REQUEST_ID') ?? ''
  return sane.test(own) ? own : randomUUID()
}

/**
 * An answer that the server gives in the place of an app.
 * @param words of its status
 * @param requestId by which the client can ask for what the log says of it
 * @returns headers as names and values joined by NUL, and the body
 */
export const namedAnswer = (words: string, requestId: string | undefined): { headers: string; text: string } =>
  requestId === undefined
    ? { headers: 'Content-Type\0text/plain', text: `${words}\n` }
    : { headers: `Content-Type\0text/plain\0X-Request-Id\0${requestId}`, text: `${words}\nrequest id: ${requestId}\n` }

/** @returns the variables of a packet as the master has it; nothing of one that holds none, or none that can be read */
export const varsOfPacket = (packet: Uint8Array): Uint8Array => {
  const vars = packet.subarray(4)
  try {
    if (!hasVarsBlock(packet[0] as number, packet[3] as number)) return new Uint8Array(0)
    checkVars(vars)
    return vars
  } catch {
    // Its worker was to answer 400.
    return new Uint8Array(0)
  }
}
