// Which apps a configuration asks for: the options that name apps, in uWSGI's order of precedence, as one list.

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
    add(normalized(mount.slice(0, equals)), source, isModuleName(source) ? 'python' : undefined, !isModuleName(source))
  }
  return plans
}

/** `/` is the root; a trailing slash says nothing; a leading one may be left out. */
const normalized = (mountpoint: string): string => {
  const trimmed = mountpoint.replace(/\/+$/, '')
  return trimmed === '' || trimmed.startsWith('/') ? trimmed : `/${trimmed}`
}

/** `package.module` or `package.module:callable`, as uWSGI takes in a mount; a path has a slash or a known extension. */
const isModuleName = (source: string): boolean =>
  /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*(?::[A-Za-z_]\w*)?$/.test(source) && !/\.(?:py|wsgi|lua|ws|js|mjs)(?::\w+)?$/.test(source)
