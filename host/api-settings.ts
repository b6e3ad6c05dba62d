// What threads must know of a configuration for the functions of the API: the settings they depend on, as one message.
import type { Configuration } from './config/index.ts'
import type { Plans } from './plans.ts'
import type { StaticPlan } from './static/static-plan.ts'
import { publicRoots } from './static-files.ts'
import type { ApiSettings } from './worker/messages.ts'

export const apiSettings = (settings: Configuration['settings'], plans: Plans, files: StaticPlan): ApiSettings => ({
  socketTimeoutMs: settings.socketTimeout * 1000,
  rpcMax: settings.rpcMax,
  harakiriMs: {
    worker: settings.harakiri * 1000,
    mule: settings.muleHarakiri * 1000,
    spooler: settings.spoolerHarakiri * 1000,
  },
  isHarakiriVerbose: settings.harakiriVerbose,
  harakiriGraceMs: settings.harakiriGrace * 1000,
  isSoftHarakiri: settings.softHarakiri,
  bufferSize: settings.bufferSize,
  alarmNames: plans.alarms.alarms.map(({ name }) => name),
  spoolers: plans.spoolers,
  spoolerOrdered: settings.spoolerOrdered,
  spoolerMaxTries: settings.spoolerMaxTries,
  spoolerQuiet: settings.spoolerQuiet,
  startedOn: Math.floor(Date.now() / 1000),
  isReload: false,
  fileRoots: [...settings.pythonpath, ...publicRoots(files)],
  mimeTypes: files.mimeTypes.own,
})
