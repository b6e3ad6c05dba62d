// What threads must know of a configuration for the functions of the API, and for what guests may do, as messages.
import { dirname, isAbsolute, resolve } from 'node:path'
import type { Configuration } from './config/index.ts'
import type { Plans } from './plans.ts'
import type { StaticPlan } from './static/static-plan.ts'
import { publicRoots } from './static-files.ts'
import type { ApiSettings, GuestStart } from './worker/messages.ts'
import type { MountPlan } from './worker/mount-plan.ts'

export const apiSettings = (settings: Configuration['settings'], plans: Plans, files: StaticPlan): ApiSettings => ({
  socketTimeoutMs: settings.socketTimeout * 1000,
  rpcMax: settings.rpcMax,
  responseLimit: settings.responseLimit === 0 ? Number.POSITIVE_INFINITY : settings.responseLimit,
  guestFds: settings.guestFds,
  logRate: settings.logRate,
  harakiriMs: {
    worker: settings.harakiri * 1000,
    mule: settings.muleHarakiri * 1000,
    spooler: settings.spoolerHarakiri * 1000,
  },
  cpuLimitMs: settings.cpuLimit * 1000,
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
  fileRoots: [...settings.pythonpath, ...publicRoots(files), ...plans.permissions.readable, ...plans.permissions.writable],
  mimeTypes: files.mimeTypes.own,
})

export const guestStart = (
  { settings, opt, defined }: Configuration,
  plans: Plans,
  mounts: readonly MountPlan[],
  cwd: string,
): GuestStart => ({
  permissions: plans.permissions,
  opt: settings.sandbox ? defined : opt,
  appDirectories: [
    ...mounts.map(({ source }) => (isAbsolute(source) ? dirname(source) : cwd)),
    ...settings.pythonpath.map((directory) => resolve(cwd, directory)),
  ],
})
