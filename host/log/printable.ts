// What clients send, as it may stand in a line of the log.

/** A client chooses its URI and headers: a line break among them must not forge a log line. */
export const printable = (value: string): string =>
  value.replace(/[\x00-\x1f\x7f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
