// What a configuration asks for to be watched and commanded: the addresses of statistics and metrics, the path of the control
// socket.
import { resolve } from 'node:path'
import { checkAddress } from './config/address.ts'
import type { Settings } from './config/index.ts'
import { ConfigError } from './errors.ts'
import { longestUnixPath, parseAddress, type SocketAddress } from './gateway/address.ts'

export interface MonitoringPlan {
  readonly stats: SocketAddress | undefined
  readonly isHttp: boolean
  readonly isMinified: boolean
  readonly noCores: boolean
  readonly noMetrics: boolean
  readonly prometheus: SocketAddress | undefined
  /** Absolute. */
  readonly control: string | undefined
}

type MonitoringSettings = Pick<
  Settings,
  'stats' | 'statsHttp' | 'statsMinified' | 'statsNoCores' | 'statsNoMetrics' | 'prometheus' | 'ctl'
>

/** @throws ConfigError naming the option */
export const planMonitoring = (settings: MonitoringSettings, cwd: string): MonitoringPlan => ({
  stats: addressOf('stats', settings.stats),
  isHttp: settings.statsHttp,
  isMinified: settings.statsMinified,
  noCores: settings.statsNoCores,
  noMetrics: settings.statsNoMetrics,
  prometheus: addressOf('prometheus', settings.prometheus),
  control: settings.ctl === undefined ? undefined : controlPath(settings.ctl, cwd),
})

const refusal = (option: string, value: string, why: string): ConfigError =>
  new ConfigError('CONFIG_BAD_VALUE', `${option} = ${value.slice(0, 200)}: ${why}`)

const addressOf = (option: string, text: string | undefined): SocketAddress | undefined => {
  if (text === undefined) return undefined
  const fault = checkAddress(text)
  if (fault !== undefined) throw refusal(option, text, fault)
  return parseAddress(text)
}

const controlPath = (text: string, cwd: string): string => {
  if (/:\d+$/.test(text) || text.startsWith('@')) {
    throw refusal('ctl', text, 'the server is commanded by the path of a unix socket only: files have owners, ports have none')
  }
  const path = resolve(cwd, text)
  if (Buffer.byteLength(path) > longestUnixPath) {
    throw refusal('ctl', text, `its path is longer than the ${longestUnixPath} bytes that the path of a unix socket may have`)
  }
  return path
}
