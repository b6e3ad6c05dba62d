// What can be asked to load the apps anew: all threads at once, all of them one after the other, or those of one kind.

export const reloadKinds = ['graceful', 'chain', 'workers', 'mules', 'spoolers'] as const
export type ReloadKind = (typeof reloadKinds)[number]
