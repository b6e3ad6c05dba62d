// A plugin as the configuration names it, once it is known where it lies. Plain data: it crosses to the threads.
import type { GuestPluginDescription } from './guest-description.ts'

export interface PluginSource {
  /** As the operator wrote it (`0:./foobar_plugin.mjs`): messages name it so. */
  readonly text: string
  /** URL of the module; of a plugin written in a guest's language, of its file. */
  readonly url: string
  /** `0:name`: serves these packets instead of its own. */
  readonly modifier1?: number
  /** `need-plugin`: without it the server does not start. */
  readonly isRequired: boolean
  /** One of ours, always there. */
  readonly isBuiltIn?: boolean
  /** Written in a guest's language: the name of the plugin that loads it. */
  readonly language?: string
  /** Of such a plugin: what it says of itself. */
  readonly description?: GuestPluginDescription
}
