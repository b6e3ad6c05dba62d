// What goes wrong in a build. The message names the source's file, and the line where there is one.

import { PolywsgiError } from '../errors.ts'

export class BuildError extends PolywsgiError {
  constructor(message: string, options?: { cause?: unknown }) {
    super('PLUGIN_BUILD', message, options)
  }
}
