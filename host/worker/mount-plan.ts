// Which apps are to be loaded, where, and by whom: made from the settings in the master, carried out by every worker.

/** One app to load. */
export interface MountPlan {
  /** '' for the root, else `/prefix` without a trailing slash. */
  readonly mountpoint: string
  /** An absolute path, or `package.module` for a plugin that knows modules. */
  readonly source: string
  readonly callable: string | undefined
  /** The plugin's name when the configuration says which; undefined: by the source's extension. */
  readonly plugin: string | undefined
}
