// Socket addresses as uWSGI writes them, taken apart. Their form was judged when the configuration was read.

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
