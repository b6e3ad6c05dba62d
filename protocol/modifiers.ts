// What modifier1 of a packet means: which plugin or subsystem it is for. The numbers are uWSGI's (its protocol page and the
// plugins' sources); a name is what this project calls it, uWSGI's own where there is one.
// Invariant: a number and a name each occur once.
import { contentLength, parseContentLength } from './content-length.ts'
import { findVar } from './vars.ts'

export const modifiers = {
  python: { modifier1: 0, purpose: 'WSGI requests; also the default when a front end says nothing' },
  psgi: { modifier1: 5, purpose: 'Perl PSGI requests' },
  lua: { modifier1: 6, purpose: 'Lua WSAPI requests' },
  rack: { modifier1: 7, purpose: 'Ruby Rack requests' },
  jvm: { modifier1: 8, purpose: 'JVM requests (JWSGI, Clojure Ring)' },
  cgi: { modifier1: 9, purpose: 'CGI scripts' },
  admin: { modifier1: 10, purpose: 'questions about options of the server (nothing answers it)' },
  php: { modifier1: 14, purpose: 'PHP requests' },
  mono: { modifier1: 15, purpose: 'ASP.NET requests on Mono' },
  spooler: { modifier1: 17, purpose: 'a job for the spooler of another server: the vars are the job' },
  symcall: { modifier1: 18, purpose: 'a direct call of a C symbol' },
  eval: { modifier1: 22, purpose: 'code to be evaluated (no plugin answers it)' },
  xslt: { modifier1: 23, purpose: 'XSLT transformations' },
  js: { modifier1: 24, purpose: 'JavaScript requests (uWSGI: V8 and JSGI)' },
  gridfs: { modifier1: 25, purpose: 'files from MongoDB GridFS' },
  glusterfs: { modifier1: 26, purpose: 'files from GlusterFS' },
  rados: { modifier1: 28, purpose: 'files from Ceph RADOS' },
  'python-path': { modifier1: 30, purpose: 'WSGI requests whose PATH_INFO still has SCRIPT_NAME in front' },
  snmp: { modifier1: 48, purpose: 'the SNMP agent' },
  announce: { modifier1: 73, purpose: 'a server that announces itself (nothing answers it)' },
  multicast: { modifier1: 74, purpose: 'a server that announces itself to a multicast group, over UDP' },
  log: { modifier1: 95, purpose: 'a log line from another server, over UDP' },
  'brutal-reload': { modifier1: 97, purpose: 'a reload that waits for nothing (nothing answers it)' },
  'graceful-reload': { modifier1: 98, purpose: 'a reload after the running requests (nothing answers it)' },
  'config-from-peer': { modifier1: 99, purpose: 'configuration from another server (nothing answers it)' },
  ping: { modifier1: 100, purpose: 'a health check: answered with a packet, counted as no request' },
  echo: { modifier1: 101, purpose: 'answered with the block itself, without a header' },
  legion: { modifier1: 109, purpose: 'messages between the members of a legion, over UDP' },
  signal: { modifier1: 110, purpose: 'raises the uwsgi signal whose number is modifier2' },
  cache: { modifier1: 111, purpose: 'reads and writes of the shared cache from outside' },
  'router-signal': { modifier1: 123, purpose: 'internal to the routers' },
  rpc: { modifier1: 173, purpose: 'calls of registered functions: an array of the name and the arguments' },
  'close-mark': { modifier1: 200, purpose: 'the end of a persistent uwsgi connection' },
  subscription: { modifier1: 224, purpose: 'a server that announces itself to a router, over UDP' },
  response: { modifier1: 255, purpose: 'a bare answer: modifier2 is 1 for done, 0 for failed' },
} as const satisfies Record<string, { modifier1: number; purpose: string }>

export type ModifierName = keyof typeof modifiers

const names = new Map<number, ModifierName>(
  Object.entries(modifiers).map(([name, { modifier1 }]) => [modifier1, name as ModifierName]),
)

/** The name of a modifier1; undefined for a number that uWSGI gives no meaning. */
export const modifierName = (modifier1: number): ModifierName | undefined => names.get(modifier1)

const rpc: number = modifiers.rpc.modifier1
const rpcOverHttp = 2
const cache: number = modifiers.cache.modifier1
const spooler: number = modifiers.spooler.modifier1
const packetPeers: ReadonlySet<number> = new Set([
  modifiers.ping.modifier1,
  modifiers.echo.modifier1,
  modifiers.signal.modifier1,
  spooler,
  cache,
])

/**
 * True when the client is a uwsgi peer that reads packets or bare bytes, where front ends read HTTP: an answer in HTTP would
 * be taken for something else, and whoever cannot answer closes the connection without a byte, as uWSGI does.
 */
export const answersInPackets = (modifier1: number, modifier2: number): boolean =>
  packetPeers.has(modifier1) || (modifier1 === rpc && modifier2 !== rpcOverHttp)

/** True when the block holds request variables; the blocks of others are arrays, or bytes that mean nothing but themselves. */
export const hasVarsBlock = (modifier1: number, modifier2: number): boolean =>
  modifier1 === cache || modifier1 === spooler || !answersInPackets(modifier1, modifier2)

/**
 * Bytes of the body that follows a packet: CONTENT_LENGTH as front ends say it, of a cache item to be stored its `size`.
 * @throws ProtocolError CONTENT_LENGTH (400) for what is no length
 */
export const bodyLength = (modifier1: number, modifier2: number, block: Uint8Array): number => {
  if (modifier1 === cache)
    return storesItem.has(findVar(block, 'cmd') ?? '') ? parseContentLength(findVar(block, 'size') ?? '') : 0
  return hasVarsBlock(modifier1, modifier2) ? contentLength(block) : 0
}
const storesItem: ReadonlySet<string> = new Set(['set', 'update'])
