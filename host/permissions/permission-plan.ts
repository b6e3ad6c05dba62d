// What the options give to guests of files and environment, as a value that crosses to threads: --sandbox, --allow-read,
// --allow-write, --allow-env. Where they may connect is judged in the master (host/gateway/connect-permission.ts).
import { dirname, resolve } from 'node:path'
import { ConfigError } from '../errors.ts'
import { nearestPlace } from './places.ts'

export interface PermissionPlan {
  readonly isSandboxed: boolean
  /** Real places, found out once: a guest that may write where another path begins cannot have it lead elsewhere later. */
  readonly readable: readonly string[]
  readonly writable: readonly string[]
  /** The paths that were named, absolute. */
  readonly paths: readonly string[]
  readonly environment: ReadonlyMap<string, string>
  /** Where relative paths of guests begin. */
  readonly directory: string
}

export interface PermissionSettings {
  readonly sandbox: boolean
  readonly allowRead: readonly string[]
  readonly allowWrite: readonly string[]
  readonly allowEnv: readonly string[]
}

/** @throws ConfigError naming the option, the value and what is wrong with it */
export const planPermissions = (
  { sandbox, allowRead, allowWrite, allowEnv }: PermissionSettings,
  cwd: string,
  environment: NodeJS.ProcessEnv = process.env,
): PermissionPlan => {
  const [readable, writable] = [pathsOf('allow-read', allowRead, cwd), pathsOf('allow-write', allowWrite, cwd)]
  return {
    isSandboxed: sandbox,
    readable: readable.map(nearestPlace),
    writable: writable.map(nearestPlace),
    paths: [...readable, ...writable],
    environment: variablesOf(allowEnv, environment),
    directory: cwd,
  }
}

/** Guests get nothing of files and environment. */
export const noPermissions = (isSandboxed: boolean): PermissionPlan =>
  planPermissions({ sandbox: isSandboxed, allowRead: [], allowWrite: [], allowEnv: [] }, process.cwd())

/** What these hold is the machine, not files: with `/proc` alone the server's own memory could be read and written. */
const systemDirectories = ['/proc', '/sys', '/dev']
/** Where the interpreters have files of their own. */
const guestDirectories = ['/lib', '/home', '/home/python']

const pathsOf = (option: string, paths: readonly string[], cwd: string): string[] =>
  paths.map((written) => {
    const path = resolve(cwd, written)
    const fault = faultOf(path) ?? faultOf(nearestPlace(path))
    if (fault !== undefined) throw new ConfigError('CONFIG_BAD_VALUE', `${option} = ${written.slice(0, 200)}: ${fault}`)
    return path
  })

const faultOf = (path: string): string | undefined => {
  if (path === dirname(path)) return 'guests do not get all files: name directories'
  const system = systemDirectories.find((directory) => path === directory || path.startsWith(`${directory}/`))
  if (system !== undefined) return `guests get nothing of ${system}: with it they could do what the server can`
  if (guestDirectories.includes(path)) return 'interpreters have files of their own there: name directories below it'
  return undefined
}

const variablesOf = (names: readonly string[], environment: NodeJS.ProcessEnv): Map<string, string> => {
  const variables = new Map<string, string>()
  for (const name of names) {
    const fault = nameFaultOf(name)
    if (fault !== undefined) throw new ConfigError('CONFIG_BAD_VALUE', `allow-env = ${name.slice(0, 200)}: ${fault}`)
    const prefix = name.endsWith('*') ? name.slice(0, -1) : undefined
    for (const [variable, value] of Object.entries(environment)) {
      if (value !== undefined && (prefix === undefined ? variable === name : variable.startsWith(prefix)))
        variables.set(variable, value)
    }
  }
  return variables
}

const nameFaultOf = (name: string): string | undefined => {
  if (name.includes('=')) return 'write the name alone: the value is that of the server'
  if (name.slice(0, -1).includes('*')) return 'a * stands at the end only'
  return undefined
}
