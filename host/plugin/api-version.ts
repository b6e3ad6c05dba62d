// The version of the plugin interface. A built plugin embeds the one it was built for; a host refuses any other.
// It changes with every change of the interface after which a plugin written for the one before would not work.

export const pluginApiVersion = 1
