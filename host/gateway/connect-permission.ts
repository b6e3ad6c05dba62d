// Where guests may connect: the addresses of --allow-connect, and what a guest asks for judged by them.
// Invariant: what is judged is what is connected to. Both sides are brought to one form first, and a socket gets that form;
// no name is looked up, so a name that is allowed leads wherever it leads.
import { type BigIntStats, statSync } from 'node:fs'
import { isIPv4, isIPv6, SocketAddress } from 'node:net'
import { resolve } from 'node:path'
import { ConfigError, PolywsgiError } from '../errors.ts'
import { type ConnectTarget, longestUnixPath, remoteAddress } from './address.ts'

export class ConnectPermission {
  #isAnywhere = false
  /** At any port. */
  readonly #hosts = new Set<string>()
  /** At any host. */
  readonly #ports = new Set<number>()
  readonly #endpoints = new Set<string>()
  /** Paths; names in the abstract namespace begin with a NUL. */
  readonly #sockets = new Set<string>()
  /** With a slash at the end. */
  readonly #directories: string[] = []
  readonly #forbidden: string | undefined

  /**
   * @param addresses as --allow-connect has them; without one: nowhere
   * @param cwd where relative paths among them begin
   * @param forbidden a unix socket that is never allowed, by whatever path it is reached
   * @throws ConfigError naming the address and what is wrong with it
   */
  constructor(addresses: readonly string[], cwd: string, forbidden?: string) {
    this.#forbidden = forbidden
    for (const address of addresses) {
      const fault = this.#add(address, cwd, addresses.length === 1)
      if (fault !== undefined) throw new ConfigError('CONFIG_BAD_VALUE', `allow-connect = ${address.slice(0, 200)}: ${fault}`)
    }
  }

  /**
   * Where a socket connects to for an address.
   * @throws PolywsgiError API_IO for what is no address, API_REFUSED for one that is not allowed
   */
  target(address: string): ConnectTarget {
    const target = remoteAddress(address)
    if (typeof target === 'string') throw new PolywsgiError('API_IO', target)
    if (this.#forbidden !== undefined && 'path' in target && isSameFile(target.path, this.#forbidden)) {
      throw new PolywsgiError('API_REFUSED', 'guests may not connect to the control socket of their server')
    }
    if (this.#isAnywhere) return target
    const judged = 'path' in target ? { path: plainPath(target.path) } : { ...target, host: plainHost(target.host) }
    if (!('path' in judged ? this.#allowsSocket(judged.path) : this.#allowsHost(judged.host, judged.port))) {
      const told = JSON.stringify(address.slice(0, 120)).slice(1, -1)
      throw new PolywsgiError('API_REFUSED', `${told} is not among the addresses that guests may connect to (allow-connect)`)
    }
    if ('path' in judged && Buffer.byteLength(judged.path) > longestUnixPath) {
      throw new PolywsgiError('API_IO', `the path ${JSON.stringify(judged.path)} is longer than ${longestUnixPath} bytes`)
    }
    return judged
  }

  #allowsHost(host: string, port: number): boolean {
    return this.#hosts.has(host) || this.#ports.has(port) || this.#endpoints.has(endpoint(host, port))
  }

  #allowsSocket(path: string): boolean {
    if (this.#sockets.has(path)) return true
    return this.#directories.some((directory) => path.startsWith(directory) && path.length > directory.length)
  }

  /** @returns what is wrong with it */
  #add(text: string, cwd: string, isAlone: boolean): string | undefined {
    if (text === '*') this.#isAnywhere = true
    else if (text === 'none') return isAlone ? undefined : 'it does not go together with other addresses'
    else if (text.startsWith('@')) {
      if (text === '@') return 'there is no name after the @'
      if (Buffer.byteLength(text) > longestUnixPath) return tooLong
      this.#sockets.add(`\0${text.slice(1)}`)
    } else if (/^\.{0,2}\//.test(text)) {
      const path = resolve(cwd, text)
      if (Buffer.byteLength(path) > longestUnixPath) return tooLong
      if (!text.endsWith('/')) this.#sockets.add(path)
      else this.#directories.push(path === '/' ? path : `${path}/`)
    } else return this.#addHost(text)
    return undefined
  }

  #addHost(text: string): string | undefined {
    const parsed = parseHost(text)
    if (typeof parsed === 'string') return parsed
    const { host, port } = parsed
    if (port === undefined) this.#hosts.add(host)
    else if (host === '*') this.#ports.add(port)
    else this.#endpoints.add(endpoint(host, port))
    return undefined
  }
}

/** By links and `/proc/self/root` too. */
const isSameFile = (path: string, other: string): boolean => {
  try {
    const [one, two] = [path, other].map((name) => statSync(name, { bigint: true })) as [BigIntStats, BigIntStats]
    return one.ino === two.ino && one.dev === two.dev
  } catch {
    // What cannot be looked at cannot be connected to, and a name in the abstract namespace is no file.
    return false
  }
}

/** For whoever is no guest. */
export const anywhere = new ConnectPermission(['*'], '/')

/** No host has a space in it. */
const endpoint = (host: string, port: number): string => `${host} ${port}`

const tooLong = `it is longer than the ${longestUnixPath} bytes that the path of a unix socket may have`

/** `host`, `host:port`, `[v6]`, `[v6]:port`, `:port`, `*:port`, in one form; text: what is wrong with it. */
const parseHost = (text: string): { host: string; port: number | undefined } | string => {
  if (/^[a-z]+:\/\//i.test(text)) return 'it is a URL: write host:port'
  if (/^unix:/i.test(text)) return 'write the path of a unix socket alone'
  if (isIPv6(text)) return `write an IPv6 address in brackets: [${text}]`
  if (/^\d+$/.test(text)) return `it is no host: write *:${text} for this port of any host`
  if (isNetwork(text)) return 'it is a network: name its hosts'
  if (text.includes('/')) return `write a relative path as ./${text}`
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::([^:]*))?$/.exec(text)
  if (match === null) return 'it is not host:port'
  const [, written = '', portText] = match
  if (portText !== undefined && !isPort(portText)) {
    return `the port '${portText}' is not a number from 1 to 65535; a host without one is allowed at any`
  }
  const port = portText === undefined ? undefined : Number(portText)
  if (written === '*') return { host: '*', port }
  const isBracketed = written.startsWith('[')
  const host = isBracketed ? written.slice(1, -1) : written
  if (isBracketed && !isIPv6(host)) return `'${host}' is no IPv6 address`
  if (/[\s\p{Cc}*@,;()]/u.test(host)) return `'${host}' is no host name`
  if (/^[\d.]+$/.test(host) && !isIPv4(host.replace(/\.$/, ''))) return `'${host}' is no IPv4 address`
  // As in an address to connect to, no host is this machine.
  return { host: host === '' ? '127.0.0.1' : plainHost(host), port }
}

const isPort = (text: string): boolean => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535

const isNetwork = (text: string): boolean => /^[\da-f:.[\]]+\/\d+$/i.test(text)

/** One form for each host: lower case, no dot at the end, an IP address as the system writes it; none means this machine. */
const plainHost = (written: string): string => {
  const host = written.toLowerCase().replace(/(?<=.)\.$/, '')
  if (host === '0.0.0.0') return '127.0.0.1'
  if (!isIPv6(host)) return host
  const [address = '', zone] = host.split('%')
  const plain = new SocketAddress({ family: 'ipv6', address }).address
  if (zone !== undefined) return `${plain}%${zone}`
  if (plain === '::') return '::1'
  const mapped = /^::ffff:([\d.]+)$/.exec(plain)?.[1]
  return mapped === undefined ? plain : plainHost(mapped)
}

/** Without `.`, `..` and doubled slashes, from the root; a name in the abstract namespace has no such parts. */
const plainPath = (path: string): string => (path.startsWith('\0') ? path : resolve(path))
