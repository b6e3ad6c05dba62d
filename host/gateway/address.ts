// Socket addresses as uWSGI writes them, taken apart. The form of those to listen at was judged when the configuration was
// read; those to connect to come from guests, and are judged here.

export type SocketAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** `text` is the address as the operator wrote it; an abstract socket's path begins with a NUL. */
  | { readonly kind: 'unix'; readonly path: string; readonly text: string }

/** `127.0.0.1:3031`, `[::1]:3031`, `:3031` (all interfaces), `@name` (abstract), or the path of a unix socket. */
export const parseAddress = (text: string): SocketAddress => {
  if (text.startsWith('@')) return { kind: 'unix', path: `\0${text.slice(1)}`, text }
  const match = /^(\[[^\]]+\]|[^:/]*):(\d+)$/.exec(text)
  if (match === null) return { kind: 'unix', path: text, text }
  const host = (match[1] as string).replace(/^\[|\]$/g, '')
  return { kind: 'tcp', host: host === '' ? '0.0.0.0' : host, port: Number(match[2]) }
}

/** The address as a client writes it. */
export const formatTcp = (host: string, port: number): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)

// sun_path holds 108 bytes, one of them the closing NUL.
export const longestUnixPath = 107

/** What a socket connects to. */
export type ConnectTarget = { readonly host: string; readonly port: number } | { readonly path: string }

/**
 * Where a client connects for an address. Differs from uWSGI: host names and IPv6 work too.
 * @returns text that says what is wrong with one that cannot be connected to
 */
export const remoteAddress = (text: string): ConnectTarget | string => {
  const shown = JSON.stringify(text.slice(0, 120))
  if (text === '') return 'an empty address'
  const address = parseAddress(text)
  if (address.kind === 'tcp') {
    const { host, port } = address
    if (port < 1 || port > 65_535) return `the port of the address ${shown} is not a number from 1 to 65535`
    if (/[\0\s]/.test(host)) return `the host of the address ${shown} is not a name or a number`
    return { host: host === '0.0.0.0' ? '127.0.0.1' : host, port }
  }
  const { path } = address
  if (path.includes('\0', 1)) return `the address ${shown} holds a NUL byte`
  if (Buffer.byteLength(path) > longestUnixPath) return `the address ${shown} is longer than ${longestUnixPath} bytes`
  return { path }
}
