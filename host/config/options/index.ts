// The options table: every option once. The command line, the configuration formats, the environment, the typed
// settings, --help, --show-config and docs/options.md are all made from it.
import type { Option, SettingsOf } from '../option.ts'
import { alarms } from './alarms.ts'
import { apps } from './apps.ts'
import { caches } from './caches.ts'
import { clocks } from './clocks.ts'
import { configuration } from './configuration.ts'
import { connections } from './connections.ts'
import { exceptions } from './exceptions.ts'
import { hooks } from './hooks.ts'
import { limits } from './limits.ts'
import { logging } from './logging.ts'
import { mules } from './mules.ts'
import { permissions } from './permissions.ts'
import { plugins } from './plugins.ts'
import { reloading } from './reloading.ts'
import { requests } from './requests.ts'
import { rpc } from './rpc.ts'
import { server } from './server.ts'
import { sharedMemory } from './shared-memory.ts'
import { sockets } from './sockets.ts'
import { spooler } from './spooler.ts'
import { staticFiles } from './static-files.ts'
import { subsystems } from './subsystems.ts'
import { workers } from './workers.ts'

const table = [
  ...sockets,
  ...connections,
  ...apps,
  ...permissions,
  ...workers,
  ...reloading,
  ...requests,
  ...limits,
  ...exceptions,
  ...staticFiles,
  ...server,
  ...logging,
  ...caches,
  ...sharedMemory,
  ...mules,
  ...spooler,
  ...clocks,
  ...rpc,
  ...alarms,
  ...subsystems,
  ...hooks,
  ...plugins,
  ...configuration,
] as const

export const options: readonly Option[] = table

/** One setting per option that has a value, typed by its row. */
export type Settings = SettingsOf<typeof table>
