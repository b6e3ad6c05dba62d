// Changes bytes as accidents and attackers do: flips, cuts, repeats, inserts what parsers trip over.
import type { Random } from './random.ts'

/** Bytes and words that mean something to a parser of HTTP, or should not. */
const troublesome = [
  '\0',
  '\r',
  '\n',
  '\r\n',
  '\n\n',
  '\r\n\r\n',
  '\r\n ',
  '\r\n\t',
  '\x0b',
  '\x0c',
  '\x7f',
  '\x80',
  '\xff',
  ' ',
  '\t',
  ':',
  ';',
  '"',
  '%00',
  '%',
  '../',
  '//',
  '?',
  '#',
  '\x1b[2J',
  'chunked',
  '0',
  '-1',
  '+1',
  '0x10',
  '1e9',
  '99999999999999999999',
  'ffffffffffffffff',
].map((text) => Buffer.from(text, 'latin1'))

export const mutate = (input: Buffer, random: Random): Buffer => {
  let bytes = input
  for (let times = 1 + random.below(random.of([1, 1, 4])); times > 0; times -= 1) bytes = mutateOnce(bytes, random)
  return bytes
}

const mutateOnce = (bytes: Buffer, random: Random): Buffer => {
  const at = random.below(bytes.length + 1)
  switch (random.below(7)) {
    case 0: {
      const changed = Buffer.from(bytes)
      if (at < changed.length) changed[at] = random.below(256)
      return changed
    }
    case 1: {
      const changed = Buffer.from(bytes)
      if (at < changed.length) changed[at]! ^= 1 << random.below(8)
      return changed
    }
    case 2:
      return Buffer.concat([bytes.subarray(0, at), random.of(troublesome), bytes.subarray(at)])
    case 3:
      return bytes.subarray(0, at)
    case 4:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random.below(20))])
    case 5:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - random.below(40)), at), bytes.subarray(at)])
    default:
      return Buffer.concat([bytes.subarray(0, at), random.bytes(1 + random.below(8)), bytes.subarray(at)])
  }
}
