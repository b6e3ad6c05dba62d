// What the log says of the requests that a worker took along when its thread ended.
// Invariant: each of them has an id, which its client has been told too.
import { type OverrunCause, type OverrunRequest, overrunLines, shownRequest } from '../log/harakiri-lines.ts'

export interface FailedRequest extends OverrunRequest {
  /** What its client was answered, unless it had gone, or had got a part of its answer. */
  readonly status: 500 | 503 | 504
}

/** The others are counted. */
const mostTold = 50

const ofAnother: Readonly<Record<OverrunCause, string>> = {
  HARAKIRI: 'its worker was ended for the deadline of another request',
  'CPU-LIMIT': 'its worker was ended for the CPU time of another request',
}

/**
 * @param isVerbose all variables of those that overran
 * @param cause what the thread was ended for, if for that
 * @param why503 what became of those that are answered 503
 * @returns lines for the log
 */
export const failedLines = (
  failed: readonly FailedRequest[],
  isVerbose: boolean,
  cause: OverrunCause = 'HARAKIRI',
  why503 = ofAnother[cause],
): string[] => {
  const lines = failed.slice(0, mostTold).flatMap((request) => {
    if (request.status === 504) return overrunLines(request, isVerbose, cause)
    const why = request.status === 503 ? why503 : 'its worker has died'
    return [`${shownRequest(request)}: ${why}: answered ${request.status}, request id: ${request.requestId}`]
  })
  if (failed.length > mostTold) lines.push(`... and ${failed.length - mostTold} more`)
  return lines
}

/** ` (2 running requests answered 504)`; '' for none. */
export const failedCounts = (failed: readonly FailedRequest[]): string => {
  const counts = new Map<number, number>()
  for (const { status } of failed) counts.set(status, (counts.get(status) ?? 0) + 1)
  const answers = [...counts].map(([status, count]) => `${count} running requests answered ${status}`)
  return answers.length > 0 ? ` (${answers.join(', ')})` : ''
}
