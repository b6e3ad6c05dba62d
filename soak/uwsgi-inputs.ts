// Inputs for a uwsgi socket: packets for all modifiers, with sizes that do not fit what follows, variables that overlap or
// contradict each other, and what is no packet at all.
import { encodeArray, encodePacket } from '../protocol/index.ts'
import type { FuzzInput } from './http-inputs.ts'
import { mutate } from './mutate.ts'
import type { Random } from './random.ts'

const paths = ['/', '/js/', '/py/', '/py/%C3%A9', '', '\0', '/js/\xff', '//', '../..']
const lengths = [
  '0',
  '5',
  '11',
  '00',
  '-1',
  '+1',
  '1e3',
  '0x5',
  '99999999999999999999',
  '18446744073709551616',
  ' 5',
  '5 ',
  '',
  '\0',
  '5,5',
]
/** Those that something answers; any other number is as likely once in a while. */
const modifiers = [0, 0, 0, 6, 24, 30, 100, 101, 110, 111, 173, 17, 98, 200, 255]

/** As `encodeVars` of protocol/, which refuses what is wanted here: names of no bytes. */
const encodeVars = (vars: readonly (readonly [string, string])[]): Buffer =>
  Buffer.concat(vars.flat().flatMap((text) => [Buffer.from(Uint16Array.of(text.length).buffer), Buffer.from(text, 'latin1')]))

const varsFor = (random: Random): [string, string][] => {
  const vars: [string, string][] = [
    ['REQUEST_METHOD', random.of(['GET', 'POST', 'HEAD', '', '\0', 'G'.repeat(300)])],
    ['REQUEST_URI', random.of(paths)],
    ['PATH_INFO', random.of(paths)],
    ['QUERY_STRING', random.of(['', 'a=b', '\xff'])],
    ['SERVER_PROTOCOL', random.of(['HTTP/1.1', 'HTTP/1.0', '', 'HTTP/9.9', '\r\nX: y'])],
    ['REMOTE_ADDR', random.of(['127.0.0.1', '', '\n', 'x'.repeat(500)])],
    ['HTTP_HOST', 'localhost'],
  ]
  if (random.oneIn(2)) vars.push(['CONTENT_LENGTH', random.of(lengths)])
  if (random.oneIn(8)) vars.push(['CONTENT_LENGTH', random.of(lengths)])
  if (random.oneIn(8)) vars.push(['', random.of(['', 'x'])])
  if (random.oneIn(8)) vars.push(['SCRIPT_NAME', random.of(paths)])
  if (random.oneIn(16)) for (let n = random.below(400); n > 0; n -= 1) vars.push([`HTTP_X_${n}`, 'y'])
  if (random.oneIn(16)) vars.push(['HTTP_X', 'x'.repeat(random.below(5000))])
  return vars
}

const blockFor = (modifier1: number, random: Random): Uint8Array => {
  switch (modifier1) {
    case 173:
      return encodeArray([Buffer.from(random.of(['answer', 'none', ''])), random.bytes(random.below(20))])
    case 111:
      return encodeVars([
        ['cmd', random.of(['get', 'set', 'update', 'del', 'exists', 'clear', 'x', ''])],
        ['key', random.of(['a', '', '\0', 'k'.repeat(3000)])],
        ['size', random.of(lengths)],
        ['expires', random.of(lengths)],
        ['cache', random.of(['default', 'none', ''])],
      ])
    case 100:
    case 101:
    case 110:
      return random.bytes(random.below(30))
    default:
      return encodeVars(varsFor(random))
  }
}

const foreign = [
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  'SSH-2.0-x\r\n',
  '<policy-file-request/>\0',
  'PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n',
  '\x01\x01\x00\x01\x00\x08\x00\x00',
]

export const uwsgiInput = (random: Random): FuzzInput => {
  if (random.oneIn(20)) return { bytes: mutate(Buffer.from(random.of(foreign), 'latin1'), random), hides: false }
  const modifier1 = random.oneIn(10) ? random.below(256) : random.of(modifiers)
  let packet = Buffer.from(encodePacket(modifier1, random.oneIn(4) ? random.below(256) : 0, blockFor(modifier1, random)))
  if (random.oneIn(4)) packet.writeUInt16LE(random.below(65_536), 1)
  // A key or value that says to be longer than the block.
  if (random.oneIn(4) && packet.length > 8) packet.writeUInt16LE(random.below(65_536), 4 + random.below(packet.length - 6))
  if (random.oneIn(2))
    packet = Buffer.concat([packet, random.of([Buffer.from('hello'), Buffer.from('hello world, and more'), packet])])
  return { bytes: random.oneIn(4) ? packet : mutate(packet, random), hides: false }
}
