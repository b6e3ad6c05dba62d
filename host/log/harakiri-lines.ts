// What the log says of a request that took longer than it may, or more CPU time: uWSGI's line, its id, its variables.
// Invariant: every line is printable and bounded, and shows no variable that is there to keep others out.
import { findVar, iterateVars } from '../../protocol/vars.ts'

/** What was overrun, as lines of the log begin: time (uWSGI's word), or CPU time. */
export type OverrunCause = 'HARAKIRI' | 'CPU-LIMIT'

export interface OverrunRequest {
  readonly vars: Uint8Array
  readonly coreId: number
  /** Seconds since the epoch; 0: nobody knows. */
  readonly since: number
  readonly requestId: string
}

/** Without `harakiri-verbose`. The method and the URI stand in the request's own line. */
const shortSet = new Set([
  'SERVER_PROTOCOL',
  'HTTP_HOST',
  'SCRIPT_NAME',
  'PATH_INFO',
  'CONTENT_TYPE',
  'CONTENT_LENGTH',
  'HTTP_REFERER',
  'HTTP_USER_AGENT',
  'HTTP_X_FORWARDED_FOR',
  'REMOTE_USER',
])

const secretName =
  'auth|cookie|token|secret|passw|pwd|api[-_]?key|access[-_]?key|private[-_]?key|credential|session|csrf|xsrf|signature|jwt|otp'
const isSecret = new RegExp(secretName, 'i')
/** `?token=...` in a URI, a referrer or a query. */
const secretValue = new RegExp(`((?:^|[?&;])[^=&;?#]*(?:${secretName})[^=&;?#]*=)[^&;#\\s]+`, 'gi')
const redacted = '[redacted]'

const longestValue = 512
const mostVars = 100
const mostText = 16_384
const longestTrace = 16_384

/**
 * @param isVerbose all variables, not the usual few
 */
export const overrunLines = (request: OverrunRequest, isVerbose: boolean, cause: OverrunCause = 'HARAKIRI'): string[] => {
  const { vars, coreId, requestId } = request
  return [
    `${cause} ${shownRequest(request)}`,
    `${cause} [core ${coreId}] request id: ${requestId}`,
    `${cause} [core ${coreId}] vars: ${varsText(vars, isVerbose)}`,
  ]
}

/** `[core 0] 127.0.0.1 - GET /slow since 1790000000` */
export const shownRequest = ({ vars, coreId, since }: OverrunRequest): string => {
  const value = (name: string): string => shown(name, findVar(vars, name) ?? '')
  return escaped(`[core ${coreId}] ${value('REMOTE_ADDR')} - ${value('REQUEST_METHOD')} ${value('REQUEST_URI')} since ${since}`)
}

/** @param trace the guest's own, '' when there is none */
export const stoppedLines = (where: string, trace: string, cause: OverrunCause = 'HARAKIRI'): string[] => {
  if (trace === '') return [`${cause} ${where}the code that ran was stopped`]
  const text = trace.length <= longestTrace ? trace : `${trace.slice(0, longestTrace)}...`
  return [`${cause} ${where}the code that ran was stopped at:`, ...text.trimEnd().split('\n').map(escaped)]
}

/** Names and values as one object of JSON. Where a name occurs twice the last one counts. */
const varsText = (vars: Uint8Array, isVerbose: boolean): string => {
  const chosen = new Map<string, string>()
  for (const [name, value] of iterateVars(vars)) if (isVerbose || (value !== '' && shortSet.has(name))) chosen.set(name, value)
  const members: string[] = []
  let length = 0
  for (const [name, value] of chosen) {
    const member = `${JSON.stringify(name.slice(0, longestValue))}:${JSON.stringify(shown(name, value))}`
    length += member.length
    if (members.length === mostVars || length > mostText) {
      members.push(`"...":"${chosen.size - members.length} more"`)
      break
    }
    members.push(member)
  }
  return escaped(`{${members.join(',')}}`)
}

const shown = (name: string, value: string): string => {
  if (isSecret.test(name)) return redacted
  const text = value.length <= longestValue ? value : `${value.slice(0, longestValue)}... (${value.length} characters)`
  return text.replace(secretValue, `$1${redacted}`)
}

/** No control character, of those above U+007F either: some of them are commands to a terminal. */
const escaped = (text: string): string =>
  text.replace(/[\x00-\x08\x0a-\x1f\x7f-\x9f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
