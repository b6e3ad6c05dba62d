// The API table: every function, attribute and hook of the guests' `uwsgi` module, declared once. Bindings install it by a
// loop, implementations are typed from it, declarations and reference pages are generated from it.
import { alarms } from './alarms.ts'
import { async } from './async.ts'
import { cache } from './cache.ts'
import { clocks } from './clocks.ts'
import { connection } from './connection.ts'
import { identity } from './identity.ts'
import { locks } from './locks.ts'
import { logging } from './logging.ts'
import { metrics } from './metrics.ts'
import { mules } from './mules.ts'
import { options } from './options.ts'
import { process } from './process.ts'
import { queue } from './queue.ts'
import { request } from './request.ts'
import { rpc } from './rpc.ts'
import { sharedarea } from './sharedarea.ts'
import { signals } from './signals.ts'
import { spooler } from './spooler.ts'

export const apiTable = [
  ...identity,
  ...logging,
  ...options,
  ...cache,
  ...locks,
  ...signals,
  ...clocks,
  ...rpc,
  ...mules,
  ...spooler,
  ...alarms,
  ...async,
  ...connection,
  ...request,
  ...process,
  ...metrics,
  ...queue,
  ...sharedarea,
] as const

/** `worker_id` → `workerId`: the idiomatic JavaScript name. */
export const camelCaseName = (name: string): string => name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
