// What the letters mean that are written to a master FIFO: uWSGI's letters, each with what it does here, or why it does nothing.

export type FifoCommand =
  | { readonly kind: 'reload'; readonly how: 'graceful' | 'chain' | 'workers' }
  | { readonly kind: 'more' | 'fewer' | 'pause' | 'pidfile' | 'stats' }
  | { readonly kind: 'log'; readonly how: 'reopen' | 'rotate' }
  | { readonly kind: 'stop'; readonly isUrgent: boolean }
  | { readonly kind: 'slot'; readonly slot: number }

interface Letter {
  readonly does?: FifoCommand
  /** Without `does`: why it does nothing. */
  readonly why?: string
}

const reload = (how: 'graceful' | 'chain' | 'workers'): Letter => ({ does: { kind: 'reload', how } })
const noEmperor: Letter = { why: 'there is no emperor' }

const letters: Readonly<Record<string, Letter>> = {
  r: reload('graceful'),
  // Differs from uWSGI: nothing is cut off; a request that does not end is harakiri's business.
  R: reload('graceful'),
  c: reload('chain'),
  w: reload('workers'),
  W: reload('workers'),
  '+': { does: { kind: 'more' } },
  '-': { does: { kind: 'fewer' } },
  p: { does: { kind: 'pause' } },
  P: { does: { kind: 'pidfile' } },
  s: { does: { kind: 'stats' } },
  q: { does: { kind: 'stop', isUrgent: false } },
  Q: { does: { kind: 'stop', isUrgent: true } },
  B: noEmperor,
  C: { why: 'the last worker is not stopped: a request would wait for its start' },
  E: noEmperor,
  f: { why: 'the master is no process of its own: reload with r' },
  l: { does: { kind: 'log', how: 'reopen' } },
  L: { does: { kind: 'log', how: 'rotate' } },
  S: { why: 'there are no subscriptions' },
}

/** What is said of more than that at once is not carried out: a program that writes garbage must not keep the master. */
export const mostAtOnce = 64

export interface ReadCommands {
  readonly commands: readonly FifoCommand[]
  /** Lines for the log: what was not carried out, each once. */
  readonly complaints: readonly string[]
}

/** Line breaks and blanks, which `echo` adds, mean nothing. */
export const readCommands = (bytes: Uint8Array): ReadCommands => {
  const commands: FifoCommand[] = []
  const complaints = new Set<string>()
  for (const byte of bytes.subarray(0, mostAtOnce)) {
    const letter = String.fromCharCode(byte)
    if (/\s/.test(letter)) continue
    if (/\d/.test(letter)) {
      commands.push({ kind: 'slot', slot: Number(letter) })
      continue
    }
    const { does, why } = letters[letter] ?? {}
    if (does !== undefined) commands.push(does)
    else complaints.add(why === undefined ? `${shown(byte)} is no command` : `'${letter}' does nothing: ${why}`)
  }
  if (bytes.length > mostAtOnce) complaints.add(`what comes after the first ${mostAtOnce} bytes is dropped`)
  return { commands, complaints: [...complaints] }
}

const shown = (byte: number): string =>
  byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}'` : `the byte 0x${byte.toString(16).padStart(2, '0')}`
