// Implementations of the group `spooler`. Jobs are written and read by the thread's own part (`context.spool`); what is left
// to do here is to hold the values of a job to what a file can say.

import { ApiArgumentError } from '../../errors.ts'
import type { ApiContext } from '../context.ts'
import type { ApiValue, BytesMap, ImplementationOf } from '../kinds.ts'
import type { spooler } from '../table/spooler.ts'

const utf8 = new TextEncoder()

export const spoolerImplementation: ImplementationOf<typeof spooler, ApiContext> = {
  SPOOL_OK: () => -2,
  SPOOL_RETRY: () => -1,
  SPOOL_IGNORE: () => 0,
  spoolers: ({ spool }) => spool.directories.map((directory) => utf8.encode(directory)),
  spool: ({ spool }, job) => utf8.encode(spool.submit(jobOf(job))),
  set_spooler_frequency: ({ spool }, seconds) => {
    spool.setFrequency(seconds)
    return true
  },
  spooler_jobs: ({ spool }) => spool.jobs().map((path) => utf8.encode(path)),
  spooler_get_task: ({ spool }, path) => {
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
