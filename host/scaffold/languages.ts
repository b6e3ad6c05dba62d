// The languages in which a plugin can be begun.

import lua from './templates/plugin.lua?raw'
import mjs from './templates/plugin.mjs?raw'
import python from './templates/plugin.py?raw'
import ts from './templates/plugin.ts?raw'

export interface ScaffoldLanguage {
  /** With its dot. */
  readonly extension: string
  /** The source, with `__NAME__` for the plugin's name. */
  readonly source: string
  /** False: it is loaded, and published, as it is. */
  readonly isBuilt: boolean
}

export const languages: Readonly<Record<string, ScaffoldLanguage>> = {
  ts: { extension: '.ts', source: ts, isBuilt: true },
  js: { extension: '.mjs', source: mjs, isBuilt: true },
  lua: { extension: '.lua', source: lua, isBuilt: false },
  python: { extension: '.py', source: python, isBuilt: false },
}
