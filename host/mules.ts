// Which mules and farms a configuration asks for: `--mule`, `--mules` and `--farm` as plans, checked as a whole.
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Settings } from './config/index.ts'
import { ConfigError } from './errors.ts'
import type { FarmPlan } from './worker/messages.ts'

export interface MulePlan {
  /** From 1. */
  readonly id: number
  /** A file's absolute path, or `package.module:callable`; '' for a mule that takes messages and signals. */
  readonly program: string
  /** The plugin that runs it, when its name does not say so. */
  readonly plugin: string | undefined
}

/** Each mule is a thread, with interpreters of its own. */
const maxMules = 1024

/**
 * The mules in the order of their numbers: those of `--mule` first, then those of `--mules`. Differs from uWSGI: there the
 * order of the two options counts.
 * @throws ConfigError for a program that is not there, and for too many mules
 */
export const planMules = (settings: Pick<Settings, 'mule' | 'mules'>, cwd: string): MulePlan[] => {
  const programs = [
    ...settings.mule.map((program) => programOf(program, cwd)),
    ...new Array<string>(settings.mules ?? 0).fill(''),
  ]
  if (programs.length > maxMules) throw bad(`mules: ${programs.length} are asked for, ${maxMules} is the most`)
  return programs.map((program, index) => ({ id: index + 1, program, plugin: callable.test(program) ? 'python' : undefined }))
}

/** `package.module:callable`. */
const callable = /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$/

const programOf = (program: string, cwd: string): string => {
  if (program === '' || callable.test(program)) return program
  const path = resolve(cwd, program)
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat === undefined) throw bad(`mule = ${program}: there is no such file`)
  if (!stat.isFile()) throw bad(`mule = ${program}: it is no file`)
  return path
}

/**
 * @param mules how many mules there are
 * @throws ConfigError for a farm that is not NAME:MULES, names a mule that does not exist or one twice, or has a name taken
 */
export const planFarms = (settings: Pick<Settings, 'farm'>, mules: number): FarmPlan[] => {
  const farms: FarmPlan[] = []
  for (const text of settings.farm) {
    const match = /^([^\s:,]+):(\d+(?:,\d+)*)$/.exec(text.trim())
    if (match === null) throw bad(`farm = ${text}: write NAME:MULES, with the numbers of its mules as in 'workers:1,2'`)
    const [, name = '', list = ''] = match
    if (farms.some((farm) => farm.name === name)) throw bad(`farm = ${text}: there is a farm '${name}' already`)
    const numbers = list.split(',').map(Number)
    for (const [index, number] of numbers.entries()) {
      if (number < 1 || number > mules) throw bad(`farm = ${text}: there is no mule ${number}, ${countOf(mules)}`)
      if (numbers.indexOf(number) !== index) throw bad(`farm = ${text}: it names mule ${number} twice`)
    }
    farms.push({ name, mules: numbers })
  }
  return farms
}

const countOf = (mules: number): string =>
  mules === 0 ? 'no mule is configured' : mules === 1 ? 'only mule 1' : `only mules 1 to ${mules}`

const bad = (problem: string): ConfigError => new ConfigError('CONFIG_BAD_VALUE', problem)
