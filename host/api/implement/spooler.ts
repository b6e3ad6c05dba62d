// Implementations of the group `spooler`. Jobs are written and read by the thread's own part (`context.spool`); what is left
// to do here is to hold the values of a job to what a file can say.

import { ApiArgumentError, ApiError } from '../../errors.ts'
import type { ApiContext } from '../context.ts'
import type { ApiValue, BytesMap, ImplementationOf } from '../kinds.ts'
import type { spooler } from '../table/spooler.ts'

const utf8 = new TextEncoder()

export const spoolerImplementation: ImplementationOf<typeof spooler, ApiContext> = {
  SPOOL_OK: () => -2,
  SPOOL_RETRY: () => -1,
  SPOOL_IGNORE: () => 0,
  spoolers: ({ spool }) => spool.directories.map((directory) => utf8.encode(directory)),
  spool: (context, job) => {
    const values = jobOf(job)
    const named = values.get('spooler')
    const directory = named === undefined ? context.spool.directories[0] : Buffer.from(named).toString()
    if (context.access.isSandboxed && directory !== undefined && !context.access.mayWrite(directory)) {
      throw refusal('spool', 'jobs are files: name the directory of the spooler in allow-write')
    }
    return utf8.encode(context.spool.submit(values))
  },
  set_spooler_frequency: ({ spool }, seconds) => {
    spool.setFrequency(seconds)
    return true
  },
  spooler_jobs: (context) => {
    for (const directory of context.spool.directories) assertReadable(context, 'spooler_jobs', directory)
    return context.spool.jobs().map((path) => utf8.encode(path))
  },
  spooler_get_task: (context, path) => {
    assertReadable(context, 'spooler_get_task', path)
    const { spool } = context
    const job = spool.read(path)
    if (job === undefined) return undefined
    const task = new Map(job.vars)
    task.set('spooler_task_name', utf8.encode(path))
    if (job.body.length > 0) task.set('body', job.body)
    return task
  },
  spooler_pid: ({ spool, masterPid }) => (spool.directories.length > 0 ? masterPid : 0),
  spooler_pids: ({ spool, masterPid }) => spool.directories.map(() => masterPid),
}

const refusal = (name: string, why: string): ApiError => new ApiError(name, 'API_REFUSED', `not allowed by the sandbox: ${why}`)

/** Jobs of others may lie there. */
const assertReadable = ({ access }: ApiContext, name: string, path: string): void => {
  if (access.isSandboxed && !access.mayRead(path))
    throw refusal(name, 'jobs are files: name the directory of the spooler in allow-read')
}

/** Numbers become their decimal text. */
const jobOf = (job: ReadonlyMap<string, ApiValue>): BytesMap => {
  const values = new Map<string, Uint8Array>()
  for (const [name, value] of job) {
    if (value instanceof Uint8Array) values.set(name, value)
    else if (typeof value === 'string') values.set(name, utf8.encode(value))
    else if (typeof value === 'bigint' || (typeof value === 'number' && Number.isFinite(value)))
      values.set(name, utf8.encode(decimal(value)))
    else throw new ApiArgumentError('spool', 'job', 'type', `the job's '${name.slice(0, 80)}' must be text, bytes or a number`)
  }
  return values
}

/** Never with an exponent, which no reader of times and priorities takes. */
const decimal = (value: number | bigint): string =>
  typeof value === 'number' && Number.isInteger(value) ? BigInt(value).toString() : String(value)
