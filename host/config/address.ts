// What an address to listen at looks like. Only the form is judged, so that a slip is told before anything is bound.
import { shown } from './shown.ts'

// sun_path holds 108 bytes, one of them the closing NUL.
const longestUnixPath = 107

/**
 * What is wrong with an address, or undefined. Good are `host:port`, `:port`, `[ipv6]:port`, the path of a unix socket, and
 * `@name` in the abstract namespace. Differs from uWSGI: a bare number, which would be a unix socket of that name, is refused.
 */
export const checkAddress = (address: string): string | undefined => {
  if (/^\d+$/.test(address)) {
    return `'${address}' would be a unix socket of that name: write ':${address}' for the TCP port, './${address}' for the socket`
  }
  if (/^=/.test(address)) return `'${shown(address)}' is not an address: shared sockets are not supported`
  if (/^[a-z]+:\/\//i.test(address)) {
    return `'${shown(address)}' is not an address but a URL: write host:port, as in '127.0.0.1:8080'`
  }
  if (/^unix:/i.test(address)) return `write the path of a unix socket alone: '${shown(address.slice('unix:'.length))}'`
  const colon = address.lastIndexOf(':')
  const isPath = colon === -1 || /[/@]/.test(address[0]!) || address.includes('/', colon)
  return isPath ? checkPath(address) : checkHostAndPort(address, address.slice(0, colon), address.slice(colon + 1))
}

const checkPath = (path: string): string | undefined => {
  if (Buffer.byteLength(path) <= longestUnixPath) return undefined
  return `'${shown(path)}' is longer than the ${longestUnixPath} bytes that the path of a unix socket may have`
}

const checkHostAndPort = (address: string, host: string, port: string): string | undefined => {
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    return `the port '${shown(port)}' of '${shown(address)}' is not a number from 0 to 65535`
  }
  if (/^\[[0-9a-f:.]+(%[^\]]+)?\]$/i.test(host)) return undefined
  if (host.includes(':')) return `'${shown(address)}' is not host:port: write an IPv6 address in brackets, as in '[::1]:8080'`
  if (/[\s[\]]/.test(host)) return `the host '${shown(host)}' of '${shown(address)}' is not a host name or address`
  return undefined
}
