// RPC on the wire (modifier1 173): a call is an array of the function's name and its arguments; the answer is a packet whose
// block is the result or, when that does not fit 16 bits, a dictionary with its length before the result itself. A call that
// failed has no form: the server closes without a byte.
// Differs from uWSGI: empty arguments and empty results arrive, where it drops the one and takes the other for a failure.
import { decodeArray, encodeArray } from './arrays.ts'
import { parseContentLength } from './content-length.ts'
import { ProtocolError } from './errors.ts'
import { modifiers } from './modifiers.ts'
import { encodeHeader, encodePacket, headerSize, maxBlockSize } from './packet.ts'
import { encodeVars, findVar } from './vars.ts'

/** What modifier2 asks for: the form of the answer, and in `http` that of the call too. */
export const RpcMode = { packet: 0, raw: 1, http: 2 } as const

/** Arguments of one call: the name is the first of the 255 items that uWSGI's parser reads. */
export const maxRpcArguments = 254

/** modifier2 of an answer whose result follows its block. */
const longAnswer = 5

export interface RpcCall {
  readonly name: Uint8Array
  readonly args: readonly Uint8Array[]
}

/**
 * The whole packet of a call.
 * @throws ProtocolError ARRAY_TOO_LARGE when name and arguments do not fit one block
 */
export const encodeRpcCall = (call: RpcCall, modifier2: number = RpcMode.packet): Uint8Array =>
  encodePacket(modifiers.rpc.modifier1, modifier2, encodeArray([call.name, ...call.args]))

/**
 * Name and arguments of a call, as views into its block. Undefined for an empty block, which names no function.
 * @throws ProtocolError ARRAY_TRUNCATED; ARRAY_TOO_LARGE for more than 254 arguments
 */
export const decodeRpcCall = (block: Uint8Array): RpcCall | undefined => {
  const [name, ...args] = decodeArray(block)
  if (name === undefined) return undefined
  if (args.length > maxRpcArguments) {
    throw new ProtocolError('ARRAY_TOO_LARGE', `an RPC call with ${args.length} arguments (max ${maxRpcArguments})`, 400)
  }
  return { name, args }
}

/** What goes in front of a result in mode `packet`; the result itself follows as it is. */
export const encodeRpcAnswerHead = (resultLength: number): Uint8Array => {
  const { modifier1 } = modifiers.rpc
  if (resultLength <= maxBlockSize) return encodeHeader({ modifier1, size: resultLength, modifier2: RpcMode.packet })
  return encodePacket(modifier1, longAnswer, encodeVars([['CONTENT_LENGTH', String(resultLength)]]))
}

/**
 * The result in everything that a server answered to a call in mode `packet`; bytes behind it are left alone. As a view, or
 * why it is none.
 */
export const decodeRpcAnswer = (bytes: Uint8Array): { readonly result: Uint8Array } | { readonly fault: string } => {
  if (bytes.length < headerSize) return { fault: `the answer ends after ${bytes.length} bytes` }
  const [modifier1, low, high, modifier2] = bytes as unknown as [number, number, number, number]
  if (modifier1 !== modifiers.rpc.modifier1 || (modifier2 !== RpcMode.packet && modifier2 !== longAnswer)) {
    return { fault: `a packet of modifiers ${modifier1} and ${modifier2} is no answer to a call` }
  }
  const blockEnd = headerSize + (low | (high << 8))
  if (blockEnd > bytes.length) return { fault: cutOff(bytes.length - headerSize, blockEnd - headerSize) }
  const block = bytes.subarray(headerSize, blockEnd)
  if (modifier2 === RpcMode.packet) return { result: block }
  const announced = findVar(block, 'CONTENT_LENGTH')
  if (announced === undefined) return { fault: 'the answer does not say how long it is' }
  let length: number
  try {
    length = parseContentLength(announced)
  } catch (error) {
    return { fault: (error as ProtocolError).message }
  }
  if (blockEnd + length > bytes.length) return { fault: cutOff(bytes.length - blockEnd, length) }
  return { result: bytes.subarray(blockEnd, blockEnd + length) }
}

const cutOff = (received: number, announced: number): string => `the answer ends after ${received} of ${announced} bytes`
