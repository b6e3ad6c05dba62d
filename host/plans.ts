// What a configuration asks for beside sockets and apps, as values: threads, and what they share. Each part is planned by its
// own file; here they meet, because some need to know others.
import { type AlarmPlans, planAlarms } from './alarm-plans.ts'
import { planCaches } from './caches.ts'
import { type ClockPlans, planClocks } from './clock-plans.ts'
import type { Settings } from './config/index.ts'
import { settingName } from './config/option.ts'
import { ConnectPermission } from './gateway/connect-permission.ts'
import { planHeaders } from './header-plans.ts'
import { type HookPlan, planHooks } from './hooks/plan.ts'
import { type LogPlan, planLog } from './log-plan.ts'
import { planMetrics } from './metrics.ts'
import { type MonitoringPlan, planMonitoring } from './monitoring-plan.ts'
import { planFarms, planMules } from './mules.ts'
import { type PermissionPlan, planPermissions } from './permissions/permission-plan.ts'
import type { HeaderPlan } from './request/header-change.ts'
import { planSpoolers } from './spoolers.ts'
import { seatCapacity } from './state/layout.ts'
import type { SharedShape } from './state/shared-parts.ts'
import type { FarmPlan, ThreadPlan } from './worker/messages.ts'
import type { RecyclingPlan } from './worker/recycling.ts'
import { type PlannedCheaper, planCheaper, planRecycling } from './worker-plans.ts'

export interface Plans {
  /** Workers first, then mules, then spoolers: a thread's number is its place. */
  readonly threads: readonly ThreadPlan[]
  readonly farms: readonly FarmPlan[]
  /** Absolute directories. */
  readonly spoolers: readonly string[]
  readonly clocks: ClockPlans
  readonly alarms: AlarmPlans
  /** Undefined: responses keep the headers that they are given. */
  readonly headers: HeaderPlan | undefined
  readonly hooks: HookPlan
  /** Undefined: standard error. */
  readonly log: LogPlan | undefined
  /** Where they may. */
  readonly guestsMayConnect: ConnectPermission
  readonly monitoring: MonitoringPlan
  /** What they may have of files and environment. */
  readonly permissions: PermissionPlan
  /** Undefined: no worker is renewed by itself. */
  readonly recycling: RecyclingPlan | undefined
  /** Undefined: all workers run all the time. */
  readonly cheaper: PlannedCheaper | undefined
  readonly shared: SharedShape
}

/** @throws ConfigError naming the option */
export const planAll = (settings: Settings, cwd: string): Plans => {
  const mules = planMules(settings, cwd)
  const farms = planFarms(settings, mules.length)
  const spoolers = planSpoolers(settings, cwd)
  const { workers, spare } = settings
  const none = { workerId: 0, muleId: 0, spoolerId: 0 }
  const threads: ThreadPlan[] = [
    ...Array.from({ length: workers }, (_, index) => ({
      identity: { ...none, kind: 'worker' as const, number: index + 1, workerId: index + 1 },
    })),
    ...mules.map(({ program, plugin }, index) => ({
      identity: { ...none, kind: 'mule' as const, number: workers + index + 1, muleId: index + 1 },
      program,
      programPlugin: plugin,
    })),
    ...spoolers.map((directory, index) => ({
      identity: { ...none, kind: 'spooler' as const, number: workers + mules.length + index + 1, spoolerId: index + 1 },
      directory,
    })),
  ]
  const seats = seatCapacity(threads.length, spare)
  const monitoring = planMonitoring(settings, cwd)
  const alarms = planAlarms(settings, { mules: mules.length, farms })
  return {
    threads,
    farms,
    spoolers,
    clocks: planClocks(settings),
    headers: planHeaders(settings),
    alarms,
    hooks: planHooks((option) => settings[settingName(option) as keyof Settings] as readonly string[], {
      alarms: alarms.alarms.map(({ name }) => name),
      hasPlugins: settings.plugin.length + settings.needPlugin.length > 0,
    }),
    log: planLog(settings, cwd),
    monitoring,
    guestsMayConnect: new ConnectPermission(addressesFor(settings), cwd, monitoring.control),
    permissions: planPermissions(settings, cwd),
    recycling: planRecycling(settings),
    cheaper: planCheaper(settings),
    shared: {
      caches: planCaches(settings, cwd),
      locks: settings.locks ?? 0,
      signals: { workers, mules: mules.length, spoolers: spoolers.length, farms, bufferSize: settings.signalBufsize, seats },
      messages: { mules: mules.length, farms: farms.length, capacity: settings.muleMsgSize },
      ...planMetrics(settings),
      spoolerFrequencyMs: settings.spoolerFrequency * 1000,
    },
  }
}

/** Anywhere unless told, as in uWSGI; with `sandbox` nowhere. */
const addressesFor = ({ allowConnect, sandbox }: Settings): readonly string[] =>
  allowConnect.length > 0 || sandbox ? allowConnect : ['*']
