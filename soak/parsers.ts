// Bad input for the parsers of protocol/ themselves, millions in a minute: each call gives a value or a ProtocolError, reads
// nothing that is not there, and an answer does not depend on where the bytes were cut.
import {
  checkVars,
  contentLength,
  decodeArray,
  findVar,
  iterateVars,
  ProtocolError,
  parseRequestTarget,
  RequestReader,
} from '../protocol/index.ts'
import { bodyLength } from '../protocol/modifiers.ts'
import { httpInput } from './http-inputs.ts'
import { mutate } from './mutate.ts'
import { type Outcome, type Part, type Plan, Violations } from './part.ts'
import { Random } from './random.ts'
import { uwsgiInput } from './uwsgi-inputs.ts'

const bufferSize = 8192
const changesOfEach = 8

/** What reading a packet that comes in these pieces amounts to, as text. */
const readPacket = (pieces: readonly Uint8Array[]): string => {
  const reader = new RequestReader({ bufferSize })
  try {
    for (const piece of pieces) {
      const packet = reader.push(piece)
      if (packet !== undefined) return `${packet.modifier1} ${packet.modifier2} ${Buffer.from(packet.vars).toString('latin1')}`
    }
    return `incomplete: ${reader.received}`
  } catch (error) {
    if (error instanceof ProtocolError) return `refused: ${error.code}`
    throw error
  }
}

const attempt = (work: () => unknown): void => {
  try {
    work()
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error
  }
}

/** @throws whatever no parser may throw */
const parseAll = (input: Buffer, random: Random): string | undefined => {
  const whole = readPacket([input])
  const at = random.below(input.length + 1)
  const cut = readPacket([input.subarray(0, at), input.subarray(at)])
  if (whole !== cut && !whole.startsWith('refused') && !cut.startsWith('refused')) return `cut at ${at}: ${whole} is ${cut}`
  const block = input.subarray(Math.min(4, input.length))
  attempt(() => checkVars(block))
  attempt(() => [...iterateVars(block)])
  attempt(() => findVar(block, 'PATH_INFO'))
  attempt(() => contentLength(block))
  attempt(() => bodyLength(input[0] ?? 0, input[3] ?? 0, block))
  attempt(() => decodeArray(block))
  attempt(() => parseRequestTarget(random.of(['GET', 'CONNECT', 'OPTIONS']), input.toString('latin1', 0, 200)))
  return undefined
}

const run = async (plan: Plan): Promise<Outcome> => {
  const count = plan.count ?? 3_000_000
  const random = new Random(plan.seed)
  const violations = new Violations()
  const started = performance.now()
  let slowestMs = 0
  let base = uwsgiInput(random).bytes
  for (let done = 0; done < count; done += 1) {
    // A few changes of the same input: making inputs costs more than parsing them.
    if (done % changesOfEach === 0) base = (random.oneIn(4) ? httpInput(random) : uwsgiInput(random)).bytes
    const bytes = mutate(base, random)
    const began = performance.now()
    try {
      const difference = parseAll(bytes, random)
      if (difference !== undefined) violations.add('an answer depends on where the bytes are cut', difference)
    } catch (error) {
      violations.add('a parser threw', `${error} for ${JSON.stringify(bytes.subarray(0, 300).toString('latin1'))}`)
    }
    slowestMs = Math.max(slowestMs, performance.now() - began)
  }
  const seconds = (performance.now() - started) / 1000
  return {
    facts: [
      ['inputs', count],
      ['inputs per second', Math.round(count / seconds)],
      ['the slowest input', `${slowestMs.toFixed(1)} ms`],
    ],
    violations: violations.list(),
  }
}

export const parsers: Part = {
  name: 'parsers',
  purpose: 'mutated inputs for the parsers of the uwsgi protocol in this process: a value or a ProtocolError, whatever the cut',
  run,
}
