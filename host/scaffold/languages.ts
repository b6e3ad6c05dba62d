// The languages in which a plugin can be begun, each with its source's file and the commands that differ.

import mjs from './templates/plugin.mjs?raw'
import ts from './templates/plugin.ts?raw'

export interface ScaffoldLanguage {
  /** With its dot. */
  readonly extension: string
  /** The source, with `__NAME__` for the plugin's name. */
  readonly source: string
}

export const languages: Readonly<Record<string, ScaffoldLanguage>> = {
  ts: { extension: '.ts', source: ts },
  js: { extension: '.mjs', source: mjs },
}
