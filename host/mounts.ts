// Which apps a configuration asks for: the options that name apps, in uWSGI's order of precedence, as one list.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Settings } from './config/index.ts'
import type { MountPlan } from './worker/mount-plan.ts'

/**
 * Root apps first (`--wsgi-file`, `--module`, `--lua`, `--js`), then mounts in the order given. File names become
 * absolute; a `module` stays as it is.
 */
export const planMounts = (settings: Settings, cwd: string): MountPlan[] => {
  const plans: MountPlan[] = []
  const add = (mountpoint: string, source: string, plugin: string | undefined, isFile: boolean): void => {
    // `module:callable` and `file.py:callable` name the callable after a colon; a path may hold one elsewhere.
    const match = /^(.*):([A-Za-z_]\w*)$/.exec(source)
    const name = match?.[1] ?? source
    plans.push({ mountpoint, source: isFile ? resolve(cwd, name) : name, callable: match?.[2] ?? settings.callable, plugin })
  }
  if (settings.wsgiFile !== undefined) add('', settings.wsgiFile, 'python', true)
  if (settings.module !== undefined) add('', settings.module, 'python', false)
  if (settings.lua !== undefined) add('', settings.lua, 'lua', true)
  if (settings.js !== undefined) add('', settings.js, 'js', true)
  for (const mount of settings.mount) {
    const equals = mount.indexOf('=')
    const source = mount.slice(equals + 1)
    const isModule = isModuleName(source, cwd)
    add(mount.slice(0, equals).replace(/\/+$/, ''), source, isModule ? 'python' : undefined, !isModule)
  }
  return plans
}

/** `package.module` or `package.module:callable`, as uWSGI takes in a mount; a file of that name comes first. */
const isModuleName = (source: string, cwd: string): boolean =>
  /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?::[A-Za-z_]\w*)?$/.test(source) &&
  !/\.(?:py|wsgi|lua|ws|js|mjs)(?::\w+)?$/.test(source) &&
  !existsSync(resolve(cwd, source))
