// The line that a request leaves in the log: uWSGI's default format, a `log-format` with `%(name)` placeholders, or one
// JSON object. A format is compiled once into a list of getters; a line costs no parsing.

import type { WsgiRequest } from '../request/wsgi-request.ts'
import { printable } from './printable.ts'

/** What a log line needs of a request and its response. */
export type LoggedRequest = Pick<
  WsgiRequest,
  | 'coreId'
  | 'modifier1'
  | 'modifier2'
  | 'status'
  | 'responseSize'
  | 'headersSize'
  | 'headerCount'
  | 'logvars'
  | 'writeErrors'
  | 'readErrors'
  | 'getVar'
  | 'variables'
>

/** What a request line may say beside what the request itself knows. Times in milliseconds, `startedAtMs` since the epoch. */
export interface RequestFacts {
  readonly request: LoggedRequest
  readonly pid: number
  readonly workerId: number
  /** -1 when no app was found. */
  readonly appId: number
  /** How many requests the app has served in this worker, this one included; -1 without an app. */
  readonly appRequests: number
  /** How many requests the instance has served, this one included. */
  readonly totalRequests: number
  readonly startedAtMs: number
  readonly durationMs: number
  readonly packetSize: number
  /** How often the request was scheduled: 1 for a plain one. */
  readonly switches: number
  /** How the response went out when it was no app that sent it: `sendfile`, `offload`. */
  readonly via?: string | undefined
}

type Field = (facts: RequestFacts) => string | number | undefined

const variable =
  (name: string): Field =>
  (facts) =>
    facts.request.getVar(name)

/** What an app has set for this request with `uwsgi.set_logvar`. */
const logvar =
  (name: string): Field =>
  ({ request }) => {
    const value = request.logvars?.get(name)
    return value === undefined ? undefined : Buffer.from(value).toString('latin1')
  }

const statusCode: Field = (facts) => facts.request.status.slice(0, 3)

/** `Tue Nov  3 09:05:07 2026`: C's ctime(), which uWSGI's line uses, in local time. */
export const ctime = (epochMs: number): string => {
  const date = new Date(epochMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  const day = String(date.getDate()).padStart(2, ' ')
  return `${days[date.getDay()]} ${months[date.getMonth()]} ${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${date.getFullYear()}`
}
const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `03/Nov/2026:09:05:07 +0100`: the time of Apache's common log format. */
const commonLogTime = (epochMs: number): string => {
  const date = new Date(epochMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  const offset = -date.getTimezoneOffset()
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`
  return `${two(date.getDate())}/${months[date.getMonth()]}/${date.getFullYear()}:${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`
}

/** The names that `%(name)` may hold (uWSGI, "Formatting uWSGI requests logs"). */
export const logFormatFields: Readonly<Record<string, Field>> = {
  uri: variable('REQUEST_URI'),
  method: variable('REQUEST_METHOD'),
  user: variable('REMOTE_USER'),
  addr: variable('REMOTE_ADDR'),
  host: variable('HTTP_HOST'),
  proto: variable('SERVER_PROTOCOL'),
  uagent: variable('HTTP_USER_AGENT'),
  referer: variable('HTTP_REFERER'),
  status: statusCode,
  rsize: (facts) => facts.request.responseSize,
  hsize: (facts) => facts.request.headersSize,
  size: (facts) => facts.request.responseSize + facts.request.headersSize,
  cl: (facts) => facts.request.getVar('CONTENT_LENGTH') || 0,
  micros: (facts) => Math.round(facts.durationMs * 1000),
  msecs: (facts) => Math.floor(facts.durationMs),
  secs: (facts) => Math.floor(facts.durationMs / 1000),
  tmsecs: (facts) => Math.floor(facts.startedAtMs),
  tmicros: (facts) => Math.floor(facts.startedAtMs * 1000),
  time: (facts) => Math.floor(facts.startedAtMs / 1000),
  epoch: (facts) => Math.floor((facts.startedAtMs + facts.durationMs) / 1000),
  ctime: (facts) => ctime(facts.startedAtMs),
  ltime: (facts) => commonLogTime(facts.startedAtMs),
  pid: (facts) => facts.pid,
  wid: (facts) => facts.workerId,
  switches: (facts) => facts.switches,
  vars: (facts) => 2 * countVars(facts.request),
  core: (facts) => facts.request.coreId,
  pktsize: (facts) => facts.packetSize,
  modifier1: (facts) => facts.request.modifier1,
  modifier2: (facts) => facts.request.modifier2,
  headers: (facts) => facts.request.headerCount,
  werr: (facts) => facts.request.writeErrors,
  rerr: (facts) => facts.request.readErrors,
  ioerr: (facts) => facts.request.writeErrors + facts.request.readErrors,
}

const countVars = (request: LoggedRequest): number => {
  let count = 0
  for (const _ of request.variables()) count += 1
  return count
}

/**
 * Compiles a `log-format`: text with `%(name)` and `%(var.NAME)`. Empty and unknown names print `-`, as in uWSGI. The
 * line has one character per byte (Latin-1), so that variables are logged as the bytes they came as.
 */
export const compileLogFormat = (format: string): ((facts: RequestFacts) => string) => {
  const parts: (string | Field)[] = []
  let position = 0
  const latin1Format = Buffer.from(format, 'utf8').toString('latin1')
  for (const match of latin1Format.matchAll(/%\(([^)]*)\)/g)) {
    parts.push(latin1Format.slice(position, match.index))
    const name = match[1] as string
    parts.push(name.startsWith('var.') ? variable(name.slice(4)) : (logFormatFields[name] ?? logvar(name)))
    position = match.index + match[0].length
  }
  parts.push(latin1Format.slice(position))
  return (facts) => {
    let line = ''
    for (const part of parts) {
      if (typeof part === 'string') line += part
      else {
        const value = part(facts)
        line += value === undefined || value === '' ? '-' : printable(String(value))
      }
    }
    return line
  }
}

/** uWSGI's default line, byte for byte, with `msecs` or (`log-micros`) `micros`. */
export const defaultRequestLine = (useMicros: boolean): ((facts: RequestFacts) => string) => {
  return (facts) => {
    const { request } = facts
    const text = (name: string): string => printable(request.getVar(name) ?? '')
    const duration = useMicros ? `${Math.round(facts.durationMs * 1000)} micros` : `${Math.floor(facts.durationMs)} msecs`
    const via = facts.via === undefined ? '' : ` via ${facts.via}()`
    return (
      `[pid: ${facts.pid}|app: ${facts.appId}|req: ${facts.appRequests}/${facts.totalRequests}] ${text('REMOTE_ADDR')} ` +
      `(${text('REMOTE_USER')}) {${2 * countVars(request)} vars in ${facts.packetSize} bytes} [${ctime(facts.startedAtMs)}] ` +
      `${text('REQUEST_METHOD')} ${text('REQUEST_URI')} => generated ${request.responseSize} bytes in ${duration}${via} ` +
      `(${text('SERVER_PROTOCOL')} ${request.status.slice(0, 3)}) ${request.headerCount} headers in ${request.headersSize} bytes ` +
      `(${facts.switches} switches on core ${request.coreId})`
    )
  }
}

/** What goes into the JSON object of `log-json`; escaping is the logger's. JSON is Unicode: bytes that are no UTF-8 become U+FFFD. */
export const requestLogObject = (facts: RequestFacts): Record<string, string | number> => {
  const { request } = facts
  const text = (name: string): string => Buffer.from(request.getVar(name) ?? '', 'latin1').toString('utf8')
  return {
    worker: facts.workerId,
    core: request.coreId,
    app: facts.appId,
    method: text('REQUEST_METHOD'),
    uri: text('REQUEST_URI'),
    protocol: text('SERVER_PROTOCOL'),
    status: Number(request.status.slice(0, 3)),
    remoteAddr: text('REMOTE_ADDR'),
    responseBytes: request.responseSize,
    durationMs: Math.round(facts.durationMs * 1000) / 1000,
  }
}
