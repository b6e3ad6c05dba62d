// The refusals of the configuration. Each message begins with the place, so that it reads as a compiler's does:
// `app.ini:12: workers = twelve: 'twelve' is not a whole number`.
import { ConfigError } from '../errors.ts'
import { shown } from './shown.ts'

export const badValue = (where: string, problem: string): ConfigError =>
  new ConfigError('CONFIG_BAD_VALUE', `${where}: ${problem}`)

export const unknownName = (where: string, problem: string): ConfigError =>
  new ConfigError('CONFIG_UNKNOWN_OPTION', `${where}: ${problem}`)

export const unreadable = (where: string, problem: string, cause?: unknown): ConfigError =>
  new ConfigError('CONFIG_UNREADABLE', `${where}: ${problem}`, { cause })

/** `workers = 4`, or `workers` alone when no value was given. */
export const written = (name: string, value: string | true): string =>
  value === true || value === '' ? shown(name) : `${shown(name)} = ${shown(value)}`

const systemFaults: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
}

/** What went wrong while reading a file, in words. */
export const readFault = (error: unknown): string => {
  const { code, message } = error as { code?: string; message?: string }
  return (code !== undefined && systemFaults[code]) || message || String(error)
}

/** @throws TypeError naming the line of the first byte that is no UTF-8 */
export const decodeText = (bytes: Uint8Array): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    const valid = new TextDecoder().decode(bytes)
    const line = valid.slice(0, valid.indexOf('\ufffd')).split('\n').length
    throw new TypeError(`it is not UTF-8 text (line ${line})`, { cause })
  }
}
